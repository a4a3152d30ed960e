//! Time of whole networks over active cells of a 256 x 256 grid, one thread: from features of pillars to the rows or
//! maps of the heads. `ISOBATH_BENCH_MODELS` lists `MODEL:PRECISION`, names or folders, with commas between.

#![allow(clippy::expect_used, reason = "a bench whose set-up fails has nothing to measure")]

#[path = "shared/walls.rs"]
mod walls;

use std::env;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use isobath::inference::{ModelFolder, ModelSession, Precision, SessionOptions};
use walls::{OCCUPANCIES, walls};

const MODELS: &str = "detector_s:sparse_fp32,detector_s_dense:fp32";

fn listed() -> Vec<String> {
    let text = env::var("ISOBATH_BENCH_MODELS").unwrap_or_else(|_| MODELS.to_owned());
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
    let mut group = c.benchmark_group("detector");
    group.sample_size(15);
    for model in listed() {
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
    group.finish();
}

criterion_group!(benches, networks);
criterion_main!(benches);
