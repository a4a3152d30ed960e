//! Active sites of a grid and of its coarser levels, and who is next to whom.

use crate::{
    KernelError, Parallel,
    parallel::{Disjoint, try_run},
};

/// Most cells of the finest grid: a bound of the memory, 64 MiB for the index.
pub const MAX_CELLS: usize = 1 << 24;

/// Sites whose tables one piece of work builds.
const CHUNK: usize = 2048;

/// Entries of a 3 x 3 window.
const WINDOW: usize = 9;

/// Tables of neighbours over a pyramid of grids, with memory that is kept from one set of sites to the next.
///
/// Level 0 is the grid of the given sites. Each next one has half the rows and columns, rounded up; its site (r, c)
/// is active when one of the four sites (2r..2r+1, 2c..2c+1) below is or, [dilated](Self::dilated), one of the nine
/// (2r-1..2r+1, 2c-1..2c+1). The sites of each level are numbered in row-major order. A table entry is such a number,
/// or -1 where no site is active.
pub struct SiteTables {
    levels: Vec<Level>,
    dilated: bool,
}

/// One grid of the pyramid.
struct Level {
    rows: usize,
    columns: usize,
    /// Number of the site in each cell or -1, with a border of one cell around.
    index: Vec<i32>,
    /// Row and column of each site.
    sites: Vec<[i32; 2]>,
    /// For each site of the level below, the number of the site here that covers it.
    parents: Vec<i32>,
}

impl Level {
    fn new(rows: usize, columns: usize) -> Self {
        let index = vec![-1; (rows + 2) * (columns + 2)];
        Self { rows, columns, index, sites: Vec::new(), parents: Vec::new() }
    }

    /// Where the 3 x 3 window around a cell begins in the index.
    fn window(&self, row: usize, column: usize) -> usize {
        row * (self.columns + 2) + column
    }

    /// Writes the number of each site, or -1 for all, into the index.
    fn mark(&mut self, is_there: bool) {
        let stride = self.columns + 2;
        for (number, [row, column]) in self.sites.iter().enumerate() {
            let cell = (*row as usize + 1) * stride + *column as usize + 1;
            self.index[cell] = if is_there { number as i32 } else { -1 };
        }
    }

    /// Takes the parents of the sites below as this level's sites.
    fn gather_from(&mut self, below: &[[i32; 2]]) {
        self.parents.clear();
        self.parents.resize(below.len(), 0);
        let mut start = 0;
        while let Some(&[row, _]) = below.get(start) {
            // The two rows under one row here, each ascending in the column, are merged.
            let parent_row = row >> 1;
            let middle = start + below[start..].partition_point(|[row, _]| *row <= parent_row * 2);
            let end = start + below[start..].partition_point(|[row, _]| *row <= parent_row * 2 + 1);
            let (mut upper, mut lower) = (start, middle);
            let parent_column = |at: usize, end: usize| {
                below.get(at).filter(|_| at < end).map_or(i32::MAX, |[_, column]| column >> 1)
            };
            while upper < middle || lower < end {
                let column = parent_column(upper, middle).min(parent_column(lower, end));
                let number = self.sites.len() as i32;
                self.sites.push([parent_row, column]);
                while parent_column(upper, middle) == column {
                    self.parents[upper] = number;
                    upper += 1;
                }
                while parent_column(lower, end) == column {
                    self.parents[lower] = number;
                    lower += 1;
                }
            }
            start = end;
        }
    }

    /// Takes all that a convolution of stride 2 reaches from the sites below as this level's sites, and marks them.
    fn reach_from(&mut self, below: &[[i32; 2]]) {
        let stride = self.columns + 2;
        for &[row, column] in below {
            // An odd row is read by the windows of two rows here, an even one by those of one.
            for row in row / 2..=(row + 1) / 2 {
                for column in column / 2..=(column + 1) / 2 {
                    let (r, c) = (row as usize, column as usize);
                    if r < self.rows && c < self.columns {
                        let entry = &mut self.index[(r + 1) * stride + c + 1];
                        if *entry < 0 {
                            *entry = 0;
                            self.sites.push([row, column]);
                        }
                    }
                }
            }
        }
        self.sites.sort_unstable();
        self.mark(true);
        self.parents.clear();
        let index = &self.index;
        self.parents.extend(
            below
                .iter()
                .map(|[row, column]| index[(*row as usize / 2 + 1) * stride + *column as usize / 2 + 1]),
        );
    }
}

impl SiteTables {
    /// Takes memory for `levels` grids, the finest of `rows` x `columns`.
    pub fn new(rows: usize, columns: usize, levels: usize) -> Result<Self, KernelError> {
        let cells = rows.saturating_mul(columns);
        if cells == 0 || cells > MAX_CELLS {
            let expected = format!("1 to {MAX_CELLS} cells");
            return Err(KernelError::unexpected("rows and columns", expected, format!("{rows} x {columns}")));
        }
        if !(1..=16).contains(&levels) {
            return Err(KernelError::unexpected("levels", "1 to 16", levels));
        }
        let size = |size: usize, level: usize| size.div_ceil(1 << level);
        let levels = (0..levels).map(|level| Level::new(size(rows, level), size(columns, level)));
        Ok(Self { levels: levels.collect(), dilated: false })
    }

    /// Whether sites of coarser levels are also active around those that hold a finer one: wherever their convolution
    /// of stride 2 reads one.
    #[must_use]
    pub fn dilated(mut self, dilated: bool) -> Self {
        self.dilated = dilated;
        self
    }

    /// Number of levels.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Takes the sites of level 0, row and column of one after the other: each once, within the grid and in row-major
    /// order. The cost grows with the sites of this call and of the last, not with the grid.
    pub fn build(&mut self, coords: &[i32]) -> Result<(), KernelError> {
        for level in &mut self.levels {
            level.mark(false);
            level.sites.clear();
            level.parents.clear();
        }
        let [finest, coarser @ ..] = self.levels.as_mut_slice() else { return Ok(()) };
        let (sites, rest) = coords.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(KernelError::unexpected("coords", "rows and columns in pairs", coords.len()));
        }
        let mut last = [-1, 0];
        for (number, site) in sites.iter().enumerate() {
            let is_inside = |at: i32, size: usize| usize::try_from(at).is_ok_and(|at| at < size);
            if !is_inside(site[0], finest.rows) || !is_inside(site[1], finest.columns) {
                let expected = format!("sites within {} x {}", finest.rows, finest.columns);
                return Err(KernelError::unexpected(
                    "coords",
                    expected,
                    format!("{site:?} as site {number}"),
                ));
            }
            if *site <= last {
                return Err(KernelError::unexpected(
                    "coords",
                    "unique sites in row-major order",
                    format!("{site:?} as site {number} after {last:?}"),
                ));
            }
            last = *site;
        }
        finest.sites.extend_from_slice(sites);
        finest.mark(true);
        let mut below = &*finest;
        for level in coarser {
            if self.dilated {
                level.reach_from(&below.sites);
            } else {
                level.gather_from(&below.sites);
                level.mark(true);
            }
            below = level;
        }
        Ok(())
    }

    /// Number of sites of `level`.
    pub fn count(&self, level: usize) -> usize {
        self.levels.get(level).map_or(0, |level| level.sites.len())
    }

    /// Row and column of each site of `level`.
    pub fn sites(&self, level: usize) -> &[[i32; 2]] {
        self.levels.get(level).map_or(&[], |level| &level.sites)
    }

    /// Writes for each site of `level` its 3 x 3 neighbours on that level, row-major from (-1, -1): the table of
    /// a submanifold convolution.
    pub fn near(&self, level: usize, table: &mut [i32], parallel: &dyn Parallel) -> Result<(), KernelError> {
        self.windows(level, level, table, parallel)
    }

    /// Writes for each site (r, c) of `level`, 1 or more, the sites of the level below in the 3 x 3 window around
    /// (2r, 2c): the table of a convolution of stride 2.
    pub fn down(&self, level: usize, table: &mut [i32], parallel: &dyn Parallel) -> Result<(), KernelError> {
        let Some(below) = level.checked_sub(1) else {
            return Err(KernelError::unexpected("level", "1 or more", level));
        };
        self.windows(level, below, table, parallel)
    }

    /// For each site of the level below `level` the number of the site of `level` that covers it.
    pub fn parents(&self, level: usize) -> &[i32] {
        self.levels.get(level).map_or(&[], |level| &level.parents)
    }

    fn windows(
        &self,
        level: usize,
        below: usize,
        table: &mut [i32],
        parallel: &dyn Parallel,
    ) -> Result<(), KernelError> {
        let sites = self.sites(level);
        KernelError::check_len("table", sites.len() * WINDOW, table.len())?;
        let Some(grid) = self.levels.get(below) else { return Ok(()) };
        let (scale, stride) = (level - below, grid.columns + 2);
        let table = Disjoint::new(table);
        try_run(parallel, sites.len().div_ceil(CHUNK), |chunk| {
            let chunk = chunk * CHUNK..((chunk + 1) * CHUNK).min(sites.len());
            // SAFETY: each chunk of sites has its own part of the table.
            let part = unsafe { table.part(chunk.start * WINDOW..chunk.end * WINDOW) };
            let (windows, _) = part.as_chunks_mut::<WINDOW>();
            for ([row, column], entries) in sites[chunk].iter().zip(windows) {
                let start = grid.window((*row as usize) << scale, (*column as usize) << scale);
                for (entries, start) in
                    entries.chunks_exact_mut(3).zip([start, start + stride, start + 2 * stride])
                {
                    entries.copy_from_slice(&grid.index[start..start + 3]);
                }
            }
            Ok(())
        })
    }
}
