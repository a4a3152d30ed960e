//! Operators of the domain `ai.isobath`, version 1: sparse convolution inside ONNX Runtime.
//!
//! In: coordinates of active sites and tensors with a row for each. Out: tables of neighbours ([`SiteTables`]) and
//! convolved rows ([`SparseConv`] in floats, [`QSparseConv`] in 8 bits). The work is that of `isobath_kernels`, with
//! the kernels that [`SparseKernels`] chooses, on the threads of the session. Operators check what they are given, since
//! ONNX Runtime does not: what does not fit is an error of the run.
//!
//! [`SiteTables`]: site_tables::SiteTables
//! [`SparseConv`]: sparse_conv::SparseConv
//! [`QSparseConv`]: q_sparse_conv::QSparseConv

mod attribute;
mod kernels;
mod q_sparse_conv;
mod site_tables;
mod sparse_conv;
mod tensor;
#[cfg(test)]
mod tests;
mod threads;

pub use kernels::SparseKernels;
use ort::{Error, operator::OperatorDomain};

/// The operators, for a session on the CPU.
pub(super) fn operators() -> ort::Result<OperatorDomain> {
    let SparseKernels { float, int8 } = SparseKernels::choose().map_err(Error::new)?;
    OperatorDomain::new("ai.isobath")?
        .add(site_tables::SiteTables)?
        .add(sparse_conv::SparseConv { kernel: float })?
        .add(q_sparse_conv::QSparseConv { kernel: int8, to_floats: false })?
        .add(q_sparse_conv::QSparseConv { kernel: int8, to_floats: true })
}
