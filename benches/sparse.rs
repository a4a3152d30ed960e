//! Time of the tables and of 3 x 3 layers over active cells of a 256 x 256 grid, for each kernel of this processor on
//! one core. Throughput counts the multiplications and additions of neighbours that exist.

#![allow(clippy::expect_used, reason = "a bench whose set-up fails has nothing to measure")]

#[path = "shared/walls.rs"]
mod walls;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use isobath_kernels::{
    ConvShape, FloatConv, FloatKernel, Int8Conv, Int8Kernel, Quantization, Serial, SiteTables,
};
use walls::{OCCUPANCIES, SIDE, walls};

fn near(coords: &[i32]) -> Vec<i32> {
    let mut tables = SiteTables::new(SIDE, SIDE, 1).expect("a valid grid");
    tables.build(coords).expect("valid sites");
    let mut table = vec![0; coords.len() / 2 * 9];
    tables.near(0, &mut table, &Serial).expect("a table of the sites' size");
    table
}

fn tables(c: &mut Criterion) {
    let mut group = c.benchmark_group("sparse tables");
    for percent in OCCUPANCIES {
        let coords = walls(percent);
        let mut tables = SiteTables::new(SIDE, SIDE, 4).expect("a valid grid");
        let mut table = vec![0; coords.len() / 2 * 9];
        group.throughput(Throughput::Elements(coords.len() as u64 / 2));
        group.bench_function(BenchmarkId::new("4 levels", percent), |b| {
            b.iter(|| {
                tables.build(black_box(&coords)).expect("valid sites");
                for level in 0..4 {
                    let table = &mut table[..tables.count(level) * 9];
                    tables.near(level, table, &Serial).expect("a table of the sites' size");
                    if level > 0 {
                        tables.down(level, table, &Serial).expect("a table of the sites' size");
                    }
                    black_box(&table);
                }
            });
        });
    }
    group.finish();
}

fn layers(c: &mut Criterion) {
    let mut group = c.benchmark_group("sparse layer");
    group.sample_size(15);
    for channels in [32, 64] {
        let shape = ConvShape { taps: 9, inputs: channels, outputs: channels };
        let w: Vec<i8> = (0..9 * channels * channels).map(|i| (i * 37 % 251) as i8).collect();
        let float_w: Vec<f32> = w.iter().map(|w| f32::from(*w) / 1000.0).collect();
        for percent in OCCUPANCIES {
            let coords = walls(percent);
            let table = near(&coords);
            let values = coords.len() / 2 * channels;
            let x: Vec<u8> = (0..values).map(|i| (i * 29 % 241) as u8).collect();
            let float_x: Vec<f32> = x.iter().map(|x| f32::from(*x) / 241.0).collect();
            let (mut y, mut float_y) = (vec![0; values], vec![0.0; values]);
            let pairs = table.iter().filter(|entry| **entry >= 0).count();
            group.throughput(Throughput::Elements((pairs * channels * channels * 2) as u64));
            for kernel in FloatKernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
                let conv =
                    FloatConv::new(shape, &float_w, &vec![0.1; channels], true, kernel).expect("valid");
                let id = BenchmarkId::new(format!("{channels} f32 {}", kernel.as_str()), percent);
                group.bench_function(id, |b| {
                    b.iter(|| conv.run(black_box(&float_x), Some(&table), None, &mut float_y, &Serial));
                });
            }
            let quantization = Quantization { x_zero: 0, y_zero: 0, relu: true, add_zero: 0, add_scale: 1.0 };
            for kernel in Int8Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
                let (b, scale) = (vec![100; channels], vec![1e-3; channels]);
                let mut conv = Int8Conv::new(shape, &w, &b, &scale, quantization, kernel).expect("valid");
                let id = BenchmarkId::new(format!("{channels} int8 {}", kernel.as_str()), percent);
                group.bench_function(id, |b| {
                    b.iter(|| conv.run_to_bytes(black_box(&x), Some(&table), None, &mut y, &Serial));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, tables, layers);
criterion_main!(benches);
