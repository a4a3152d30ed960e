//! Tensors that an operator is given.

use isobath_kernels::{ConvShape, KernelError};
use ort::{
    Error, Result,
    operator::{ComputeContext, KernelContext},
    value::{DynValueTypeMarker, PrimitiveTensorElementType, ValueRef},
};

/// Rows and columns of a matrix, and its values row after row.
pub(super) type Matrix<'a, T> = (usize, usize, &'a [T]);

/// An input that must be there.
pub(super) fn required<'a>(context: &'a ComputeContext, index: usize, name: &str) -> Result<ValueRef<'a>> {
    context.input(index)?.ok_or_else(|| Error::new(format!("{name}: expected a tensor, found none")))
}

/// A tensor of two dimensions.
pub(super) fn matrix<'a, T: PrimitiveTensorElementType>(
    value: &'a ValueRef<'_>,
    name: &str,
) -> Result<Matrix<'a, T>> {
    let (shape, values) = value.try_extract_tensor::<T>().map_err(|error| named(name, &error))?;
    match &**shape {
        // Sizes are not negative in a tensor that exists.
        [rows, columns] => Ok((*rows as usize, *columns as usize, values)),
        other => Err(Error::new(format!("{name}: expected two dimensions, found shape {other:?}"))),
    }
}

/// All values of a tensor, whatever its dimensions.
pub(super) fn values<'a, T: PrimitiveTensorElementType>(
    value: &'a ValueRef<'_>,
    name: &str,
) -> Result<&'a [T]> {
    value.try_extract_tensor::<T>().map(|(_, values)| values).map_err(|error| named(name, &error))
}

/// Refuses a node whose input is computed: it is packed once and must stay what it is.
pub(super) fn check_constant(context: &KernelContext<'_>, index: usize, name: &str) -> Result<()> {
    context
        .constant_input::<DynValueTypeMarker>(index)
        .map(|_| ())
        .map_err(|_| Error::new(format!("{name}: expected a constant initializer, found a computed tensor")))
}

/// A table, or none where it is empty in both directions: one tap, each row its own.
///
/// An input that may be absent would be the other way to say so, but ONNX Runtime 1.20 ends the process when an input
/// of an operator of others is absent and one behind it is not.
pub(super) const fn table_of(table: Matrix<'_, i32>) -> Option<Matrix<'_, i32>> {
    match table {
        (0, 0, _) => None,
        (rows, taps, entries) => Some((rows, taps, entries)),
    }
}

/// The sizes that a convolution's tensors imply: `x` [N, inputs], `table` [M, taps] or none, `w` [taps * inputs,
/// outputs]. And M.
pub(super) fn conv_shape(
    x: (usize, usize),
    table: Option<(usize, usize)>,
    w: (usize, usize),
) -> Result<(ConvShape, usize)> {
    let ((sources, inputs), (rows, taps)) = (x, table.unwrap_or((x.0, 1)));
    if taps.checked_mul(inputs) != Some(w.0) {
        return Err(Error::new(format!(
            "w: expected {taps} x {inputs} rows for x [{sources}, {inputs}] and a table of {taps} entries a row, found [{}, {}]",
            w.0, w.1
        )));
    }
    Ok((ConvShape { taps, inputs, outputs: w.1 }, rows))
}

/// Refuses tensors of other sizes than those that the weights were packed for.
pub(super) fn check_packed(packed: ConvShape, found: ConvShape) -> Result<()> {
    if packed == found {
        return Ok(());
    }
    Err(Error::new(format!(
        "x and table: expected {} channels and {} entries as in the first run, found {} and {}",
        packed.inputs, packed.taps, found.inputs, found.taps
    )))
}

/// An error of the kernels as ONNX Runtime takes it.
#[allow(clippy::needless_pass_by_value, reason = "the form of `map_err`")]
pub(super) fn refused(error: KernelError) -> Error {
    Error::new(error.to_string())
}

fn named(name: &str, error: &Error) -> Error {
    Error::new(format!("{name}: {error}"))
}
