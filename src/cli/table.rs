//! Aligned columns for a terminal.

use std::fmt;

/// Rows under a header; the last column is never padded.
pub(super) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
    right: [bool; N],
}

impl<const N: usize> Table<N> {
    /// With these headings; when all are empty, no heading is shown.
    pub fn new(header: [&str; N]) -> Self {
        Self { rows: vec![header.map(str::to_owned)], right: [false; N] }
    }

    /// Aligns these columns to the right, as numbers should be.
    pub fn right<const M: usize>(mut self, columns: [usize; M]) -> Self {
        for (index, right) in self.right.iter_mut().enumerate() {
            *right = columns.contains(&index);
        }
        self
    }

    /// Adds one row.
    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in self.rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty())) {
            let mut line = String::new();
            for (column, ((cell, &width), &right)) in row.iter().zip(&widths).zip(&self.right).enumerate() {
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                if column > 0 {
                    line.push_str("  ");
                }
                if right {
                    line.push_str(&padding);
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.push_str(&padding);
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["name", "count"]).right([1]);
        table.row(["/image".to_owned(), "7".to_owned()]);
        table.row(["Ω".to_owned(), "12345".to_owned()]);
        assert_eq!(table.to_string(), "name    count\n/image      7\nΩ       12345\n");
    }

    #[test]
    fn an_empty_heading_is_left_out() {
        let mut table = Table::new(["", ""]);
        table.row(["kind".to_owned(), "depth".to_owned()]);
        assert_eq!(table.to_string(), "kind  depth\n");
    }
}
