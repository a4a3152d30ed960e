//! `SiteTables`: who is next to whom, on each level of a pyramid of grids.

use isobath_kernels::{KernelError, Parallel};
use ort::{
    Error, Result,
    operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput},
    value::TensorElementType,
};

use super::{
    attribute,
    tensor::{matrix, refused, required},
    threads::SessionThreads,
};

/// Input `coords` int32 [V, 2]: row and column of each site, unique and in row-major order; V may be 0. Attributes
/// `rows`, `columns`, `levels` and `dilated` (0 where absent, or 1). Outputs int32: `near_l`, a row of 9 for each site of level l, for all levels;
/// `down_l`, as many, for l from 1; `parent_l`, a number for each site of level l - 1, for l from 1. See
/// [`isobath_kernels::SiteTables`].
pub(super) struct SiteTables;

/// Sites of the last run, whose memory the next one uses.
pub(super) struct SiteTablesKernel(isobath_kernels::SiteTables);

impl Operator for SiteTables {
    type Kernel<'attr> = SiteTablesKernel;

    fn name(&self) -> &'static str {
        "SiteTables"
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [OperatorInput::required(TensorElementType::Int32)]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::variadic(1).homogenous(TensorElementType::Int32)]
    }

    fn create_kernel(&self, context: &KernelContext<'_>) -> Result<SiteTablesKernel> {
        let size =
            |name| attribute::integer(context, name, None, 1..=i64::from(i32::MAX)).map(|size| size as usize);
        let (rows, columns, levels) = (size("rows")?, size("columns")?, size("levels")?);
        let dilated = attribute::integer(context, "dilated", Some(0), 0..=1)? == 1;
        let tables =
            isobath_kernels::SiteTables::new(rows, columns, levels).map_err(refused)?.dilated(dilated);
        let (expected, found) = (3 * levels - 2, context.outputs()?.len());
        if found != expected {
            return Err(Error::new(format!(
                "outputs: expected {expected} for {levels} levels, found {found}"
            )));
        }
        Ok(SiteTablesKernel(tables))
    }
}

impl Kernel for SiteTablesKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        let coords = required(context, 0, "coords")?;
        let (_, width, coords) = matrix::<i32>(&coords, "coords")?;
        if width != 2 {
            return Err(Error::new(format!("coords: expected rows of 2 values, found {width}")));
        }
        let tables = &mut self.0;
        tables.build(coords).map_err(refused)?;
        let threads = SessionThreads(context);
        let levels = tables.levels();
        for level in 0..levels {
            let near = |table: &mut [i32], threads: &dyn Parallel| tables.near(level, table, threads);
            write(context, level, &[tables.count(level), 9], &threads, near)?;
        }
        for level in 1..levels {
            let down = |table: &mut [i32], threads: &dyn Parallel| tables.down(level, table, threads);
            write(context, levels + level - 1, &[tables.count(level), 9], &threads, down)?;
            let parents = tables.parents(level);
            write(context, 2 * levels + level - 2, &[parents.len()], &threads, |table, _| {
                table.copy_from_slice(parents);
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Has `fill` write the output of number `index`, where anybody wants it.
fn write(
    context: &ComputeContext,
    index: usize,
    shape: &[usize],
    threads: &dyn Parallel,
    fill: impl FnOnce(&mut [i32], &dyn Parallel) -> Result<(), KernelError>,
) -> Result<()> {
    let Some(mut output) = context.output(index, shape)? else { return Ok(()) };
    let (_, table) = output.try_extract_tensor_mut::<i32>()?;
    fill(table, threads).map_err(refused)
}
