//! Files of a model folder that are read without ONNX Runtime, and parameter files.

#![no_main]

use std::path::Path;

use arbitrary::Arbitrary;
use isobath::{
    inference::{GoldenFile, Manifest, inspect_onnx},
    pipeline::{NodeParameters, split_assignment},
};
use isobath_fuzz::with_file;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Manifest(&'a str),
    Onnx(&'a [u8]),
    Golden(&'a [u8]),
    Parameters(&'a str),
    Assignment(&'a str),
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Manifest(text) => {
            if let Ok(manifest) = Manifest::parse(text, Path::new("model.yaml")) {
                assert!(manifest.inputs.iter().chain(&manifest.outputs).all(|tensor| tensor.len_with(1) > 0));
                assert!(manifest.depth_settings().is_some() || manifest.detection_settings().is_some());
            }
        }
        Input::Onnx(bytes) => {
            let _ = with_file("model.onnx", bytes, |path| inspect_onnx(path));
        }
        Input::Golden(bytes) => with_file("golden.npz", bytes, |path| {
            let Ok(mut golden) = GoldenFile::open(path) else { return };
            for (name, shape) in [("input_prior", &[1, 1, 4, 6][..]), ("output_depth", &[2]), ("a", &[])] {
                let _ = golden.rows(name);
                if let Ok(values) = golden.array(name, shape) {
                    assert_eq!(values.len(), shape.iter().product::<usize>());
                }
                if let Ok(values) = golden.integers::<i64>(name, shape) {
                    assert_eq!(values.len(), shape.iter().product::<usize>());
                }
            }
        }),
        Input::Parameters(text) => {
            let _ =
                with_file("parameters.yaml", text.as_bytes(), |path| NodeParameters::default().load(path));
        }
        Input::Assignment(text) => {
            let _ = split_assignment(text);
            let _ = NodeParameters::default().assign(text);
        }
    }
});
