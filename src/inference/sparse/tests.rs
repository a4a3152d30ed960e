//! The operators inside ONNX Runtime, against plain loops in NumPy (`tests/golden/sparse_models.py`).

use std::{fs::File, path::PathBuf};

use ndarray::{Array1, Array2};
use ndarray_npy::{NpzReader, ReadableElement};
use ort::{
    Error, Result,
    session::{Session, SessionInputs},
    value::TensorRef,
};

use super::{super::library::environment, operators};

/// Sites of the cases: none, one in the last corner, a fifth of the grid, half of it, all of it.
const PATTERNS: [&str; 5] = ["empty", "corner", "sparse", "half", "full"];

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/models/sparse").join(name)
}

fn session(model: &[u8], threads: usize) -> Result<Session> {
    Session::builder(&environment().unwrap())?
        .with_intra_threads(threads)?
        .with_operators(operators()?)?
        .commit_from_memory(model)
}

fn session_of(name: &str, threads: usize) -> Result<Session> {
    session(&std::fs::read(data(name)).unwrap(), threads)
}

struct Cases(NpzReader<File>);

impl Cases {
    fn open() -> Self {
        Self(NpzReader::new(File::open(data("cases.npz")).unwrap()).unwrap())
    }

    fn matrix<T: ReadableElement + Clone>(&mut self, name: &str) -> Array2<T> {
        self.0.by_name(&format!("{name}.npy")).unwrap()
    }

    fn vector<T: ReadableElement>(&mut self, name: &str) -> Array1<T> {
        self.0.by_name(&format!("{name}.npy")).unwrap()
    }
}

/// A matrix as an input; row-major, as NumPy wrote it.
fn tensor<T: ort::value::PrimitiveTensorElementType + Clone + std::fmt::Debug + 'static>(
    matrix: &Array2<T>,
) -> TensorRef<'_, T> {
    TensorRef::from_array_view((matrix.shape(), matrix.as_slice().unwrap())).unwrap()
}

fn sizes(shape: &[i64]) -> Vec<usize> {
    shape.iter().map(|size| *size as usize).collect()
}

fn said(result: Result<impl Sized>) -> String {
    result.err().map_or_else(|| "no error".to_owned(), |error: Error| error.to_string())
}

#[test]
fn a_network_of_floats_gives_what_numpy_gives() {
    let mut cases = Cases::open();
    let mut bits = Vec::new();
    for threads in [1, 2] {
        let mut session = session_of("float.onnx", threads).unwrap();
        // Twice: the second round finds what the first left.
        for name in PATTERNS.into_iter().chain(PATTERNS) {
            let coords = cases.matrix::<i32>(&format!("{name}_coords"));
            let x = cases.matrix::<f32>(&format!("{name}_x"));
            let out = session.run(ort::inputs!["coords" => tensor(&coords), "x" => tensor(&x)]).unwrap();
            let expected = cases.matrix::<f32>(&format!("{name}_y"));
            let (shape, y) = out["y"].try_extract_tensor::<f32>().unwrap();
            assert_eq!(sizes(shape), expected.shape(), "{name}");
            for (y, expected) in y.iter().zip(&expected) {
                assert!((y - expected).abs() < 1e-4, "{name}: {y} for {expected}");
            }
            bits.push(y.iter().map(|y| y.to_bits()).collect::<Vec<_>>());
            for level in 0..3 {
                let kinds: &[&str] = if level == 0 { &["near"] } else { &["near", "down"] };
                for kind in kinds {
                    let table = format!("{kind}_{level}");
                    let expected = cases.matrix::<i32>(&format!("{name}_{table}"));
                    let (shape, found) = out[table.as_str()].try_extract_tensor::<i32>().unwrap();
                    assert_eq!(sizes(shape), expected.shape(), "{name} {table}");
                    assert_eq!(found, expected.as_slice().unwrap(), "{name} {table}");
                }
                if level > 0 {
                    let expected = cases.vector::<i32>(&format!("{name}_parent_{level}"));
                    let (_, found) =
                        out[format!("parent_{level}").as_str()].try_extract_tensor::<i32>().unwrap();
                    assert_eq!(found, expected.as_slice().unwrap(), "{name} parent_{level}");
                }
            }
        }
    }
    let (once, twice) = bits.split_at(2 * PATTERNS.len());
    assert_eq!(once, twice, "one thread and two");
}

#[test]
fn a_network_of_integers_gives_the_bits_that_numpy_gives() {
    let mut cases = Cases::open();
    for threads in [1, 2] {
        let mut session = session_of("int8.onnx", threads).unwrap();
        for name in PATTERNS.into_iter().chain(PATTERNS) {
            let coords = cases.matrix::<i32>(&format!("{name}_coords"));
            let x = cases.matrix::<u8>(&format!("{name}_qx"));
            let out = session.run(ort::inputs!["coords" => tensor(&coords), "x" => tensor(&x)]).unwrap();
            let again = cases.matrix::<u8>(&format!("{name}_again"));
            assert_eq!(
                out["again"].try_extract_tensor::<u8>().unwrap().1,
                again.as_slice().unwrap(),
                "{name}"
            );
            let expected = cases.matrix::<f32>(&format!("{name}_qy"));
            let y = out["y"].try_extract_tensor::<f32>().unwrap().1;
            let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(y), bits(expected.as_slice().unwrap()), "{name}");
        }
    }
}

#[test]
fn coordinates_that_break_the_rules_fail_the_run_and_not_the_next() {
    let mut session = session_of("float.onnx", 1).unwrap();
    let mut run = |coords: &[i32], shape: [usize; 2]| {
        let x = Array2::<f32>::zeros((shape[0], 3));
        let coords = TensorRef::from_array_view((shape.as_slice(), coords)).unwrap();
        session.run(ort::inputs!["coords" => coords, "x" => tensor(&x)]).map(|_| ())
    };
    for (coords, expected) in [
        ([0, 0, 9, 0], "coords: expected sites within 9 x 7, found [9, 0] as site 1"),
        ([0, -1, 8, 0], "coords: expected sites within 9 x 7, found [0, -1] as site 0"),
        (
            [2, 2, 2, 2],
            "coords: expected unique sites in row-major order, found [2, 2] as site 1 after [2, 2]",
        ),
        (
            [2, 3, 2, 2],
            "coords: expected unique sites in row-major order, found [2, 2] as site 1 after [2, 3]",
        ),
    ] {
        let error = said(run(&coords, [2, 2]));
        assert!(error.contains(expected) && error.contains("SiteTables"), "{error}");
        assert!(run(&[2, 2, 2, 3], [2, 2]).is_ok());
    }
}

#[test]
fn tables_and_rows_that_do_not_fit_fail_the_run() {
    let mut session = session_of("table.onnx", 2).unwrap();
    let mut run = |x: [usize; 2], table: &[i32], shape: [usize; 2]| {
        let x = Array2::<f32>::ones((x[0], x[1]));
        let table = TensorRef::from_array_view((shape.as_slice(), table)).unwrap();
        let inputs = SessionInputs::from(ort::inputs!["x" => tensor(&x), "table" => table]);
        session.run(inputs).map(|out| out["y"].try_extract_tensor::<f32>().unwrap().1.to_vec())
    };
    let mut table = vec![-1; 18];
    for (wrong, expected) in [(3, true), (-2, true), (i32::MAX, true), (i32::MIN, true), (2, false)] {
        table[13] = wrong;
        let error = said(run([3, 2], &table, [2, 9]));
        let named = format!("table: expected entries from -1 to 2, found {wrong} in row 1");
        assert_eq!(error.contains(&named), expected, "{error}");
    }
    assert_eq!(run([3, 2], &table, [2, 9]).unwrap(), [0.0, 0.0, 0.0, 2.0, 2.0, 2.0]);
    // 18 rows of weights are 9 taps of 2 channels, and 6 of 3 only before the first run.
    for (x, shape) in [([3, 1], [2, 9]), ([3, 2], [2, 6]), ([3, 2], [2, 0]), ([3, 0], [2, 9])] {
        let error = said(run(x, &vec![-1; shape[0] * shape[1]], shape));
        assert!(error.contains("w: expected"), "{error}");
    }
    let error = said(run([3, 3], &[-1; 12], [2, 6]));
    assert!(error.contains("x and table: expected 2 channels and 9 entries as in the first run"), "{error}");
    assert!(run([0, 2], &[-1; 9], [1, 9]).is_ok(), "no input row and no neighbour");
    assert!(run([3, 2], &[], [0, 9]).unwrap().is_empty());
}

#[test]
fn weights_that_are_computed_are_refused_when_the_session_is_made() {
    let error = said(session_of("loose.onnx", 1));
    assert!(error.contains("w: expected a constant initializer, found a computed tensor"), "{error}");
}

#[test]
fn attributes_out_of_range_are_refused_when_the_session_is_made() {
    // An attribute of ONNX: field 5 of the node, its name 1, an integer 3, its type 20 = 2 (integer).
    let change = |name: &str, from: u8, to: u8| {
        let mut model =
            std::fs::read(data(if name == "x_zero" { "int8.onnx" } else { "float.onnx" })).unwrap();
        let pattern = [&[0x0a, name.len() as u8], name.as_bytes(), &[0x18, from]].concat();
        let at = model.windows(pattern.len()).position(|bytes| bytes == pattern).unwrap();
        model[at + pattern.len() - 1] = to;
        said(session(&model, 1))
    };
    let levels = change("levels", 3, 2);
    assert!(levels.contains("outputs: expected 4 for 2 levels, found 7"), "{levels}");
    let none = change("levels", 3, 0);
    assert!(none.contains("attribute levels: expected 1 to 2147483647, found 0"), "{none}");
    let many = change("levels", 3, 17);
    assert!(many.contains("levels: expected 1 to 16, found 17"), "{many}");
    let relu = change("relu", 1, 2);
    assert!(relu.contains("attribute relu: expected 0 to 1, found 2"), "{relu}");
    // Without a name that is known an attribute is missing.
    let mut model = std::fs::read(data("float.onnx")).unwrap();
    let at = model.windows(4).position(|bytes| bytes == b"rows").unwrap();
    model[at..at + 4].copy_from_slice(b"rose");
    let missing = said(session(&model, 1));
    assert!(missing.contains("attribute rows: expected an integer, found none"), "{missing}");
}
