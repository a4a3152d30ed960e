//! Convolutions against plain loops, on every kernel of this processor and with one and two threads.

#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod support;

use isobath_kernels::{
    ConvShape, FloatConv, FloatKernel, Int8Conv, Int8Kernel, KernelError, Parallel, Quantization, Serial,
};
use proptest::prelude::*;
use support::{Random, Threads, near};

/// A convolution with all its tensors; of bytes or, after division, of floats.
struct Case {
    shape: ConvShape,
    x: Vec<u8>,
    table: Option<Vec<i32>>,
    add: Option<Vec<u8>>,
    w: Vec<i8>,
    b: Vec<i32>,
    scale: Vec<f32>,
    quantization: Quantization,
    rows: usize,
}

impl Case {
    fn new(seed: u64, shape: ConvShape, sources: usize, table: Option<Vec<i32>>, has_add: bool) -> Self {
        let mut random = Random(seed);
        let ConvShape { taps, inputs, outputs } = shape;
        let rows = table.as_ref().map_or(sources, |table| table.len() / taps);
        Self {
            shape,
            x: random.bytes(sources * inputs),
            table,
            add: has_add.then(|| random.bytes(rows * outputs)),
            w: random.signed(taps * inputs * outputs),
            b: (0..outputs).map(|_| random.below(20_000) as i32 - 10_000).collect(),
            // Large and small enough that values saturate on both sides and fall between.
            scale: (0..outputs).map(|_| random.unit() * 0.01).collect(),
            quantization: Quantization {
                x_zero: [0, 128, 255, 3][random.below(4) as usize],
                y_zero: [0, 255, 7, 130][random.below(4) as usize],
                relu: random.below(2) == 1,
                add_zero: random.next() as u8,
                add_scale: 0.37,
            },
            rows,
        }
    }

    /// The sum of a term for each input row and channel that counts towards output row `row` and channel `c`.
    fn sum<T: std::iter::Sum>(&self, row: usize, c: usize, term: impl Fn(u8, i8) -> T) -> T {
        let ConvShape { taps, inputs, outputs } = self.shape;
        let source = |tap: usize| match &self.table {
            Some(table) => usize::try_from(table[row * taps + tap]).ok(),
            None => Some(row),
        };
        let sources = (0..taps).filter_map(|tap| Some((tap, source(tap)?)));
        sources
            .flat_map(|(tap, from)| {
                (0..inputs).map(move |i| (from * inputs + i, (tap * inputs + i) * outputs + c))
            })
            .map(|(x, w)| term(self.x[x], self.w[w]))
            .sum()
    }

    /// Values before they are rounded to bytes.
    fn expected(&self) -> Vec<f32> {
        let outputs = self.shape.outputs;
        let q = self.quantization;
        let value = |at: usize| {
            let (row, c) = (at / outputs, at % outputs);
            let sum =
                self.sum(row, c, |x, w| (i32::from(x) - i32::from(q.x_zero)) * i32::from(w)) + self.b[c];
            let mut value = sum as f32 * self.scale[c];
            if let Some(add) = &self.add {
                value += (i32::from(add[at]) - i32::from(q.add_zero)) as f32 * q.add_scale;
            }
            value
        };
        (0..self.rows * outputs).map(value).collect()
    }

    fn int8(&self, kernel: Int8Kernel) -> Int8Conv {
        Int8Conv::new(self.shape, &self.w, &self.b, &self.scale, self.quantization, kernel).unwrap()
    }

    /// Bytes are those of the loop on all kernels, whoever does the work; floats too.
    fn check_int8(&self) {
        let q = self.quantization;
        let expected = self.expected();
        let relu = |v: f32| if q.relu && v < 0.0 { 0.0 } else { v };
        let floats: Vec<u32> = expected.iter().map(|v| relu(*v).to_bits()).collect();
        let lowest = if q.relu { i64::from(q.y_zero) } else { 0 };
        let byte = |v: &f32| (v.round_ties_even() as i64 + i64::from(q.y_zero)).clamp(lowest, 255) as u8;
        let bytes: Vec<u8> = expected.iter().map(byte).collect();
        for kernel in Int8Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
            let mut conv = self.int8(kernel);
            for parallel in [&Serial as &dyn Parallel, &Threads(2)] {
                let mut y = vec![99; expected.len()];
                conv.run_to_bytes(&self.x, self.table.as_deref(), self.add.as_deref(), &mut y, parallel)
                    .unwrap();
                assert_eq!(y, bytes, "{}", kernel.as_str());
                let mut y = vec![99.0_f32; expected.len()];
                conv.run_to_floats(&self.x, self.table.as_deref(), self.add.as_deref(), &mut y, parallel)
                    .unwrap();
                let y: Vec<u32> = y.into_iter().map(f32::to_bits).collect();
                assert_eq!(y, floats, "{}", kernel.as_str());
            }
        }
    }

    /// The same tensors as floats near 1.
    fn check_float(&self) {
        let (relu, outputs) = (self.quantization.relu, self.shape.outputs);
        let x: Vec<f32> = self.x.iter().map(|x| f32::from(*x) / 128.0 - 1.0).collect();
        let w: Vec<f32> = self.w.iter().map(|w| f32::from(*w) / 128.0).collect();
        let b: Vec<f32> = self.b.iter().map(|b| *b as f32 / 1e4).collect();
        let add: Option<Vec<f32>> =
            self.add.as_ref().map(|add| add.iter().map(|add| f32::from(*add) / 128.0 - 1.0).collect());
        let value = |at: usize| {
            let term = |x: u8, w: i8| (f64::from(x) / 128.0 - 1.0) * f64::from(w) / 128.0;
            let sum: f64 = self.sum(at / outputs, at % outputs, term);
            let value = sum + f64::from(b[at % outputs]) + add.as_ref().map_or(0.0, |add| f64::from(add[at]));
            if relu { value.max(0.0) } else { value }
        };
        for kernel in FloatKernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
            let conv = FloatConv::new(self.shape, &w, &b, relu, kernel).unwrap();
            let mut once = vec![99.0; self.rows * outputs];
            conv.run(&x, self.table.as_deref(), add.as_deref(), &mut once, &Serial).unwrap();
            let tolerance = 1e-6 * (self.shape.taps * self.shape.inputs) as f64 + 1e-5;
            for (at, y) in once.iter().enumerate() {
                let error = (f64::from(*y) - value(at)).abs();
                assert!(error < tolerance, "{} at {at}: {y} for {}", kernel.as_str(), value(at));
            }
            let mut twice = vec![99.0; self.rows * outputs];
            conv.run(&x, self.table.as_deref(), add.as_deref(), &mut twice, &Threads(2)).unwrap();
            let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&once), bits(&twice), "{} with two threads", kernel.as_str());
        }
    }

    fn check(&self) {
        self.check_int8();
        self.check_float();
    }
}

fn shape(taps: usize, inputs: usize, outputs: usize) -> ConvShape {
    ConvShape { taps, inputs, outputs }
}

#[test]
fn every_number_of_panels_and_of_pairs_in_a_group() {
    for outputs in [1, 15, 16, 17, 32, 48, 64, 65, 96, 130] {
        for rows in 0..15 {
            Case::new(rows as u64, shape(1, 5, outputs), rows, None, rows % 2 == 0).check();
        }
    }
}

#[test]
fn channels_that_fill_no_word() {
    for inputs in 1..10 {
        let table = Random(3).table(40 * 9, 30, 40);
        Case::new(inputs as u64, shape(9, inputs, 3), 30, Some(table), true).check();
    }
}

#[test]
fn grids_empty_with_one_site_sparse_and_full() {
    let mut random = Random(11);
    for (rows, columns) in [(1, 1), (7, 5), (16, 16)] {
        for per_mille in [0, 30, 300, 1000] {
            let coords = random.sites(rows, columns, per_mille);
            let table = near(rows, columns, &coords);
            Case::new(1, shape(9, 8, 20), coords.len() / 2, Some(table), false).check();
        }
    }
    Case::new(2, shape(9, 8, 20), 1, Some(near(9, 9, &[8, 8])), true).check();
}

#[test]
fn more_rows_than_a_block() {
    let mut random = Random(5);
    let table = random.table(700 * 4, 900, 50);
    Case::new(6, shape(4, 6, 18), 900, Some(table), true).check();
}

#[test]
fn extreme_values_do_not_saturate_between() {
    for (x, w) in [(255, -128), (255, 127), (0, -128)] {
        for x_zero in [0, 255] {
            let mut case =
                Case::new(1, shape(9, 64, 16), 12, Some(near(3, 4, &Random(1).sites(3, 4, 1000))), false);
            case.x.fill(x);
            case.w.fill(w);
            case.quantization.x_zero = x_zero;
            case.scale.fill(1e-5);
            case.check_int8();
        }
    }
}

#[test]
fn halves_are_rounded_to_even_and_rounding_twice_would_show() {
    // One weight of 1 and a scale of a half: every second value lies between two bytes.
    let mut case = Case::new(1, shape(1, 1, 1), 256, None, false);
    case.x = (0..=255).collect();
    (case.w, case.b, case.scale) = (vec![1], vec![0], vec![0.5]);
    case.quantization = Quantization { x_zero: 100, y_zero: 20, relu: false, add_zero: 0, add_scale: 0.0 };
    case.check_int8();
    // A product that rounds and a sum that rounds: fused, the sum would be another.
    case.scale = vec![0.1];
    case.add = Some((0..=255).rev().collect());
    case.quantization.add_scale = 1.0 / 3.0;
    case.check_int8();
}

#[test]
fn huge_scales_saturate() {
    let mut case = Case::new(9, shape(1, 4, 16), 20, None, true);
    case.scale.fill(f32::MAX);
    case.quantization.add_scale = 0.0;
    let mut expected = None;
    for kernel in Int8Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
        let mut y = vec![99; 20 * 16];
        case.int8(kernel).run_to_bytes(&case.x, None, case.add.as_deref(), &mut y, &Serial).unwrap();
        assert_eq!(*expected.get_or_insert_with(|| y.clone()), y, "{}", kernel.as_str());
        assert!(y.contains(&255));
    }
}

#[test]
fn what_does_not_fit_is_refused_with_the_tensor_and_the_sizes() {
    let case = Case::new(1, shape(9, 4, 8), 3, Some(vec![-1; 27]), true);
    let mut conv = case.int8(Int8Kernel::best());
    let float = FloatConv::new(case.shape, &[0.5; 288], &[0.0; 8], false, FloatKernel::best()).unwrap();
    let (table, add) = (case.table.as_deref(), case.add.as_deref());
    let mut y = vec![0; 24];
    let mut error = |x: &[u8], table: Option<&[i32]>, add: Option<&[u8]>, y: &mut [u8]| {
        let error = conv.run_to_bytes(x, table, add, y, &Serial).unwrap_err();
        let x: Vec<f32> = x.iter().map(|x| f32::from(*x)).collect();
        let add: Option<Vec<f32>> = add.map(|add| add.iter().map(|add| f32::from(*add)).collect());
        let of_floats = float.run(&x, table, add.as_deref(), &mut vec![0.0; y.len()], &Serial).unwrap_err();
        assert_eq!(error, of_floats);
        error.to_string()
    };
    assert_eq!(error(&case.x[1..], table, add, &mut y), "x: expected rows of 4 values, found 11");
    assert_eq!(error(&case.x, table, add, &mut y[1..]), "y: expected rows of 8 values, found 23");
    assert_eq!(error(&case.x, Some(&[-1; 26]), add, &mut y), "table: expected 27 values, found 26");
    assert_eq!(error(&case.x, None, add, &mut y), "table: expected rows of 9 entries, found none");
    assert_eq!(error(&case.x, table, Some(&[0; 3]), &mut y), "add: expected 24 values, found 3");
    for wrong in [3, -2, i32::MAX, i32::MIN] {
        let mut table = vec![-1; 27];
        table[19] = wrong;
        let expected = format!("table: expected entries from -1 to 2, found {wrong} in row 2");
        assert_eq!(error(&case.x, Some(&table), add, &mut y), expected);
    }
    // Without an input row no entry but -1 is right.
    let mut entries = [-1; 9];
    assert!(conv.run_to_bytes(&[], Some(&entries), None, &mut [0; 8], &Serial).is_ok());
    entries[4] = 0;
    assert!(conv.run_to_bytes(&[], Some(&entries), None, &mut [0; 8], &Serial).is_err());
}

#[test]
fn of_several_wrong_entries_the_first_is_told_whatever_the_threads() {
    let case = Case::new(1, shape(1, 4, 8), 3, Some(vec![0; 1000]), false);
    let mut conv = case.int8(Int8Kernel::best());
    let mut table = vec![0; 1000];
    (table[999], table[700], table[301]) = (9, 8, 7);
    for parallel in [&Serial as &dyn Parallel, &Threads(2)] {
        let error = conv.run_to_bytes(&case.x, Some(&table), None, &mut vec![0; 8000], parallel).unwrap_err();
        assert_eq!(error.to_string(), "table: expected entries from -1 to 2, found 7 in row 301");
    }
}

#[test]
fn weights_and_settings_that_cannot_be_right_are_refused() {
    let q = Quantization { x_zero: 0, y_zero: 0, relu: false, add_zero: 0, add_scale: 1.0 };
    let kernel = Int8Kernel::Portable;
    let new =
        |shape, w: &[i8], b: &[i32], scale: &[f32], q| Int8Conv::new(shape, w, b, scale, q, kernel).err();
    let said = |error: Option<KernelError>| error.map(|error| error.to_string()).unwrap_or_default();
    let (one, w) = (shape(1, 2, 1), [127_i8, -128]);
    assert_eq!(said(new(one, &w, &[0], &[1.0], q)), "");
    assert_eq!(said(new(one, &w[1..], &[0], &[1.0], q)), "w: expected 2 values, found 1");
    assert_eq!(said(new(one, &w, &[0, 0], &[1.0], q)), "b: expected 1 values, found 2");
    assert_eq!(said(new(one, &w, &[0], &[], q)), "scale: expected 1 values, found 0");
    assert_eq!(said(new(one, &w, &[0], &[f32::NAN], q)), "scale: expected finite values, found NaN");
    let infinite = Quantization { add_scale: f32::INFINITY, ..q };
    assert_eq!(said(new(one, &w, &[0], &[1.0], infinite)), "add_scale: expected a finite value, found inf");
    // 255 x 255 and the bias leave 32 bits by one.
    let bias = i32::MAX - 255 * 255;
    assert_eq!(said(new(one, &w, &[bias], &[1.0], q)), "");
    assert!(
        said(new(one, &w, &[bias + 1], &[1.0], q))
            .starts_with("w and b: expected sums of at most 2147483647")
    );
    assert!(said(new(one, &w, &[i32::MIN], &[1.0], q)).starts_with("w and b"));
    for empty in [shape(0, 1, 1), shape(1, 0, 1), shape(1, 1, 0)] {
        assert!(said(new(empty, &[], &[], &[], q)).starts_with("w: expected taps and channels"));
    }
    let other = if cfg!(target_arch = "x86_64") { FloatKernel::Neon } else { FloatKernel::Avx2 };
    let error = FloatConv::new(one, &[0.0; 2], &[0.0], false, other).err().unwrap();
    assert!(error.to_string().contains("expected a processor with its instructions"), "{error}");
}

#[test]
fn nan_and_infinity_pass_through_floats() {
    let conv = FloatConv::new(shape(1, 1, 1), &[1.0], &[0.0], true, FloatKernel::best()).unwrap();
    let mut y = [0.0; 4];
    conv.run(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0], None, None, &mut y, &Serial).unwrap();
    assert!(y[0].is_nan());
    assert_eq!(y[1..], [f32::INFINITY, 0.0, 0.0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_table_gives_what_the_loop_gives(
        seed: u64,
        taps in 1_usize..11,
        inputs in 1_usize..24,
        outputs in 1_usize..40,
        sources in 1_usize..60,
        rows in 0_usize..90,
        present in 0_u64..101,
        has_add: bool,
    ) {
        let table = Random(seed).table(rows * taps, sources, present);
        Case::new(seed, shape(taps, inputs, outputs), sources, Some(table), has_add).check();
    }
}
