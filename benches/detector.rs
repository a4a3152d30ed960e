//! Time of whole networks over active cells of a 256 x 256 grid, one thread: from features of pillars to the rows or
//! maps of the heads. `ISOBATH_BENCH_MODELS` lists `MODEL:PRECISION`, names or folders, with commas between, and
//! `ISOBATH_BENCH_ONNX` files with one input of fixed size, which are timed beside them.

#![allow(clippy::expect_used, reason = "a bench whose set-up fails has nothing to measure")]

#[path = "shared/walls.rs"]
mod walls;

use std::env;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use isobath::inference::{ModelFolder, ModelSession, Precision, SessionOptions, load_library};
use ort::{session::Session, value::Tensor};
use walls::{OCCUPANCIES, walls};

const MODELS: &str = "detector_s:sparse_fp32,detector_s_dense:fp32";

fn listed(variable: &str, default: &str) -> Vec<String> {
    let text = env::var(variable).unwrap_or_else(|_| default.to_owned());
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A session of `MODEL:PRECISION`, and what it is called.
fn open(model: &str) -> (ModelSession, String) {
    let (name, precision) = model.split_once(':').expect("MODEL:PRECISION");
    let folder = ModelFolder::find(name).expect("a model folder");
    let precision = Some(precision.parse::<Precision>().expect("a precision"));
    let options = SessionOptions { precision, threads: 1, ..SessionOptions::default() };
    let session = ModelSession::open(&folder, &options).expect("a session");
    (session, format!("{} {}", folder.name(), precision.map_or("", Precision::as_str)))
}

fn networks(c: &mut Criterion) {
    let library = load_library(None).expect("ONNX Runtime");
    let mut group = c.benchmark_group("detector");
    group.sample_size(15);
    for model in listed("ISOBATH_BENCH_MODELS", MODELS) {
        let (mut session, called) = open(&model);
        for percent in OCCUPANCIES {
            let coords = walls(percent);
            let rows = coords.len() / 2;
            if rows > session.manifest().max_rows("pillars") {
                continue;
            }
            session.set_rows("pillars", rows).expect("rows");
            for (index, value) in session.input_mut("features").iter_mut().enumerate() {
                *value = (index * 29 % 41) as f32 / 41.0;
            }
            session.set_integers("coords", &coords).expect("coordinates");
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new(&called, percent), |b| {
                b.iter(|| session.run().expect("a run"));
            });
        }
    }
    for path in listed("ISOBATH_BENCH_ONNX", "") {
        let environment =
            ort::init_from(&library.path).expect("ONNX Runtime").build().expect("an environment");
        let mut session = Session::builder(&environment)
            .expect("a builder")
            .with_intra_threads(1)
            .expect("one thread")
            .commit_from_file(&path)
            .expect("a session");
        let shape: Vec<i64> = session.inputs()[0].dtype().tensor_shape().expect("a tensor").to_vec();
        let values = shape.iter().map(|edge| usize::try_from(*edge).expect("a fixed size")).product();
        let values = (0..values).map(|index: usize| (index * 29 % 41) as f32 / 41.0).collect::<Vec<_>>();
        let name = session.inputs()[0].name().to_owned();
        let tensor = Tensor::from_array((shape, values)).expect("a tensor");
        let file = Path::new(&path).file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new(file, 100), |b| {
            b.iter(|| drop(session.run(ort::inputs![name.as_str() => &tensor]).expect("a run")));
        });
    }
    group.finish();
}

criterion_group!(benches, networks);
criterion_main!(benches);
