//! Sparse convolution of 32-bit floats.

use crate::{
    ConvShape, FloatKernel, KernelError, Parallel,
    block::{BlockedConv, ScratchPool},
    finish::FinishFns,
    line::{Line, padded_rows},
    parallel::Disjoint,
    tap::TapFn,
};

/// A convolution with its weights, packed for the kernel.
pub struct FloatConv {
    shape: ConvShape,
    relu: bool,
    tap: TapFn,
    finish: FinishFns,
    weights: Vec<Line>,
    bias: Vec<Line>,
    pool: ScratchPool,
}

impl FloatConv {
    /// Packs `weights`, rows `tap * inputs + input` of one value for each output channel, and `bias`, one value for
    /// each; `relu` makes what is below zero zero.
    pub fn new(
        shape: ConvShape,
        weights: &[f32],
        bias: &[f32],
        relu: bool,
        kernel: FloatKernel,
    ) -> Result<Self, KernelError> {
        shape.check(weights.len(), &[("b", bias.len())])?;
        let (tap, finish) = kernel.functions()?;
        Ok(Self {
            shape,
            relu,
            tap,
            finish,
            weights: padded_rows(weights, shape.outputs),
            bias: padded_rows(bias, shape.outputs),
            pool: ScratchPool::default(),
        })
    }

    /// The sizes.
    pub fn shape(&self) -> ConvShape {
        self.shape
    }

    /// Convolves the rows `x`. Each row of `table` names for an output row the input row of each tap, -1 where there
    /// is none; without a table there is one tap and each row is its own input. `add` is added before the ReLU.
    ///
    /// The same input gives the same bits with any number of threads; another kernel rounds otherwise.
    pub fn run(
        &self,
        x: &[f32],
        table: Option<&[i32]>,
        add: Option<&[f32]>,
        y: &mut [f32],
        parallel: &dyn Parallel,
    ) -> Result<(), KernelError> {
        let ConvShape { taps, inputs, outputs } = self.shape;
        let (_, rows) = self.shape.check_run(x.len(), table.map(<[_]>::len), add.map(<[_]>::len), y.len())?;
        let conv = BlockedConv {
            tap: self.tap,
            x: bytemuck::cast_slice(x),
            words: inputs,
            weights: &self.weights,
            offsets: None,
            bias: &self.bias,
            taps,
            table,
            rows,
        };
        let y = Disjoint::new(y);
        conv.run(&self.pool, parallel, |rows, acc| {
            let values = rows.start * outputs..rows.end * outputs;
            // SAFETY: each block has rows of its own.
            let y = unsafe { y.part(values.clone()) };
            let add = add.and_then(|add| add.get(values));
            // SAFETY: chosen together with a kernel that this processor runs.
            unsafe { (self.finish.floats)(acc, outputs, add, self.relu, y) }
        })
    }
}
