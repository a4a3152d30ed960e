//! What the tests of sites and convolutions share: patterns of sites, threads, plain loops.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::sync::atomic::{AtomicUsize, Ordering};

use isobath_kernels::{KernelError, Parallel, Serial, SiteTables};

/// As many threads as the number says, each taking the next piece.
pub struct Threads(pub usize);

impl Parallel for Threads {
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), KernelError> {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= count {
                            break;
                        }
                        piece(index);
                    }
                });
            }
        });
        Ok(())
    }
}

/// Numbers that look random and are the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn unit(&mut self) -> f32 {
        self.below(20_001) as f32 / 10_000.0 - 1.0
    }

    pub fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.unit()).collect()
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    pub fn signed(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| self.next() as i8).collect()
    }

    /// Rows of a table: of 100 entries `present` name one of `sources` rows.
    pub fn table(&mut self, len: usize, sources: usize, present: u64) -> Vec<i32> {
        (0..len)
            .map(|_| if self.below(100) < present { self.below(sources as u64) as i32 } else { -1 })
            .collect()
    }

    /// Sites of a grid, `per_mille` of its cells.
    pub fn sites(&mut self, rows: usize, columns: usize, per_mille: u64) -> Vec<i32> {
        (0..rows * columns)
            .filter(|_| self.below(1000) < per_mille)
            .flat_map(|cell| [(cell / columns) as i32, (cell % columns) as i32])
            .collect()
    }
}

/// The table of a submanifold convolution over `coords`.
pub fn near(rows: usize, columns: usize, coords: &[i32]) -> Vec<i32> {
    let mut tables = SiteTables::new(rows, columns, 1).unwrap();
    tables.build(coords).unwrap();
    let mut table = vec![0; tables.count(0) * 9];
    tables.near(0, &mut table, &Serial).unwrap();
    table
}
