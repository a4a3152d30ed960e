//! `QSparseConv` and `QSparseConvFloat`: convolution of 8-bit integers over the rows that a table names.

use isobath_kernels::{Int8Conv, Int8Kernel, Quantization};
use ort::{
    Error, Result,
    operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput},
    value::TensorElementType::{Float32, Int8, Int32, Uint8},
};

use super::{
    attribute,
    tensor::{check_constant, check_packed, conv_shape, matrix, refused, required, table_of, values},
    threads::SessionThreads,
};

/// Inputs: `x` uint8 [N, inputs]; `table` int32 [M, taps], or [0, 0] for one tap and M = N; `w` int8 [taps * inputs,
/// outputs], `b` int32 [outputs] and `scale` float32 [outputs], all constant; optional `add` uint8 [M, outputs].
/// Attributes `x_zero`, `y_zero`, `relu`, and with `add` `add_zero` and `add_scale`. Output [M, outputs]: uint8, or
/// float32 before rounding as `QSparseConvFloat`, which has no `y_zero`. See [`isobath_kernels::Int8Conv`].
pub(super) struct QSparseConv {
    pub kernel: Int8Kernel,
    /// Whether this is `QSparseConvFloat`.
    pub to_floats: bool,
}

/// Where the inputs are.
const X: usize = 0;
const TABLE: usize = 1;
const W: usize = 2;
const B: usize = 3;
const SCALE: usize = 4;
const ADD: usize = 5;

/// The convolution, packed when the first run tells its sizes.
pub(super) struct QSparseConvKernel {
    kernel: Int8Kernel,
    to_floats: bool,
    quantization: Quantization,
    has_add_scale: bool,
    conv: Option<Int8Conv>,
}

impl Operator for QSparseConv {
    type Kernel<'attr> = QSparseConvKernel;

    fn name(&self) -> &'static str {
        if self.to_floats { "QSparseConvFloat" } else { "QSparseConv" }
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [
            OperatorInput::required(Uint8),
            OperatorInput::required(Int32),
            OperatorInput::required(Int8),
            OperatorInput::required(Int32),
            OperatorInput::required(Float32),
            OperatorInput::optional(Uint8),
        ]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(if self.to_floats { Float32 } else { Uint8 })]
    }

    fn create_kernel(&self, context: &KernelContext<'_>) -> Result<QSparseConvKernel> {
        for (index, name) in [(W, "w"), (B, "b"), (SCALE, "scale")] {
            check_constant(context, index, name)?;
        }
        let add_scale = context.get::<f32>("add_scale");
        Ok(QSparseConvKernel {
            kernel: self.kernel,
            to_floats: self.to_floats,
            quantization: Quantization {
                x_zero: attribute::zero_point(context, "x_zero")?,
                y_zero: attribute::zero_point(context, "y_zero")?,
                relu: attribute::relu(context)?,
                add_zero: attribute::zero_point(context, "add_zero")?,
                add_scale: add_scale.unwrap_or_default(),
            },
            has_add_scale: add_scale.is_some(),
            conv: None,
        })
    }
}

impl Kernel for QSparseConvKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        let x = required(context, X, "x")?;
        let (sources, inputs, x) = matrix::<u8>(&x, "x")?;
        let table = required(context, TABLE, "table")?;
        let table = table_of(matrix(&table, "table")?);
        let w = required(context, W, "w")?;
        let (w_rows, outputs, w) = matrix::<i8>(&w, "w")?;
        let add = context.input(ADD)?;
        let add = add.as_ref().map(|add| matrix::<u8>(add, "add")).transpose()?;
        if add.is_some() && !self.has_add_scale {
            return Err(Error::new("attribute add_scale: expected a float beside the input add, found none"));
        }

        let table_size = table.map(|(rows, taps, _)| (rows, taps));
        let (shape, rows) = conv_shape((sources, inputs), table_size, (w_rows, outputs))?;
        let conv = if let Some(conv) = &mut self.conv {
            conv
        } else {
            let (b, scale) = (required(context, B, "b")?, required(context, SCALE, "scale")?);
            let (b, scale) = (values::<i32>(&b, "b")?, values::<f32>(&scale, "scale")?);
            let conv = Int8Conv::new(shape, w, b, scale, self.quantization, self.kernel);
            self.conv.insert(conv.map_err(refused)?)
        };
        check_packed(conv.shape(), shape)?;
        let mut y = context
            .output(0, [rows, outputs])?
            .ok_or_else(|| Error::new("y: expected an output, found none"))?;
        let (table, add) = (table.map(|(_, _, table)| table), add.map(|(_, _, add)| add));
        let threads = SessionThreads(context);
        if self.to_floats {
            let (_, y) = y.try_extract_tensor_mut::<f32>()?;
            conv.run_to_floats(x, table, add, y, &threads).map_err(refused)
        } else {
            let (_, y) = y.try_extract_tensor_mut::<u8>()?;
            conv.run_to_bytes(x, table, add, y, &threads).map_err(refused)
        }
    }
}
