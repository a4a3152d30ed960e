//! `SparseConv`: convolution of floats over the rows that a table names.

use isobath_kernels::{FloatConv, FloatKernel};
use ort::{
    Error, Result,
    operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput},
    value::TensorElementType::{Float32, Int32},
};

use super::{
    attribute,
    tensor::{check_constant, check_packed, conv_shape, matrix, refused, required, table_of, values},
    threads::SessionThreads,
};

/// Inputs: `x` float32 [N, inputs]; `table` int32 [M, taps], or [0, 0] for one tap and M = N; `w` float32 [taps *
/// inputs, outputs] and `b` float32 [outputs], both constant; optional `add` float32 [M, outputs]. Attribute `relu`.
/// Output float32 [M, outputs]. See [`isobath_kernels::FloatConv`].
pub(super) struct SparseConv {
    pub kernel: FloatKernel,
}

/// Where the inputs are.
const X: usize = 0;
const TABLE: usize = 1;
const W: usize = 2;
const B: usize = 3;
const ADD: usize = 4;

/// The convolution, packed when the first run tells its sizes.
pub(super) struct SparseConvKernel {
    kernel: FloatKernel,
    relu: bool,
    conv: Option<FloatConv>,
}

impl Operator for SparseConv {
    type Kernel<'attr> = SparseConvKernel;

    fn name(&self) -> &'static str {
        "SparseConv"
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [
            OperatorInput::required(Float32),
            OperatorInput::required(Int32),
            OperatorInput::required(Float32),
            OperatorInput::required(Float32),
            OperatorInput::optional(Float32),
        ]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(Float32)]
    }

    fn create_kernel(&self, context: &KernelContext<'_>) -> Result<SparseConvKernel> {
        check_constant(context, W, "w")?;
        check_constant(context, B, "b")?;
        Ok(SparseConvKernel { kernel: self.kernel, relu: attribute::relu(context)?, conv: None })
    }
}

impl Kernel for SparseConvKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        let x = required(context, X, "x")?;
        let (sources, inputs, x) = matrix::<f32>(&x, "x")?;
        let table = required(context, TABLE, "table")?;
        let table = table_of(matrix(&table, "table")?);
        let w = required(context, W, "w")?;
        let (w_rows, outputs, w) = matrix::<f32>(&w, "w")?;
        let add = context.input(ADD)?;
        let add = add.as_ref().map(|add| matrix::<f32>(add, "add")).transpose()?;

        let table_size = table.map(|(rows, taps, _)| (rows, taps));
        let (shape, rows) = conv_shape((sources, inputs), table_size, (w_rows, outputs))?;
        let conv = if let Some(conv) = &mut self.conv {
            conv
        } else {
            let b = required(context, B, "b")?;
            let b = values::<f32>(&b, "b")?;
            let conv = FloatConv::new(shape, w, b, self.relu, self.kernel).map_err(refused)?;
            self.conv.insert(conv)
        };
        check_packed(conv.shape(), shape)?;
        let mut y = context
            .output(0, [rows, outputs])?
            .ok_or_else(|| Error::new("y: expected an output, found none"))?;
        let (_, y) = y.try_extract_tensor_mut::<f32>()?;
        let (table, add) = (table.map(|(_, _, table)| table), add.map(|(_, _, add)| add));
        conv.run(x, table, add, y, &SessionThreads(context)).map_err(refused)
    }
}
