//! Sparse convolution on the CPU: tables of sites and the kernels that run over them.
//!
//! In: coordinates of active sites of a grid, tensors of one row a site, packed weights. Out: tables of
//! neighbours ([`SiteTables`]) and convolved rows ([`FloatConv`], [`Int8Conv`]). Nothing here knows what a site
//! stands for, who gives the threads ([`Parallel`]) or which runtime calls.
//!
//! How a convolution runs. The output rows are cut into blocks. For each entry of the kernel window, a *tap*, a block
//! gathers the pairs of an input row and an output row that exist (`pairs.rs`); the weights of a tap stay in the
//! first-level cache while registers go over its pairs (`tap/`). A neighbour that is not there costs nothing, and each
//! output value is the sum over taps and channels in ascending order however many threads work.
//!
//! Which instructions do it is chosen at run time ([`FloatKernel`], [`Int8Kernel`]); integers give the same bits on
//! all of them.

mod block;
mod error;
mod finish;
mod float;
mod int8;
mod line;
mod pairs;
mod parallel;
mod select;
mod sites;
mod tap;

pub use block::ConvShape;
pub use error::KernelError;
pub use float::FloatConv;
pub use int8::{Int8Conv, Quantization};
pub use parallel::{Parallel, Serial};
pub use select::{FloatKernel, Int8Kernel};
pub use sites::{MAX_CELLS, SiteTables};
