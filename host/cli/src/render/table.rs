//! Aligned tables, and labelled blocks for those that do not fit.

use anstyle::Style;

use super::{BOLD, LABEL, styled};

/// Two blanks between columns.
const GAP: usize = 2;

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// One cell: plain text, coloured only when written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// With colour.
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<Cell>,
    below: Vec<String>,
}

impl Table {
    /// No rows yet.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// One row, a cell for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(Row { cells: cells.into(), below: Vec::new() });
    }

    /// A line under the last row.
    pub(crate) fn below(&mut self, text: String) {
        if let Some(row) = self.rows.last_mut() {
            row.below.push(text);
        }
    }

    /// The table, without a line end at the end; a block per row when it is wider than `width`.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let whole: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let lines = if width.is_some_and(|width| whole > width) {
            self.blocks()
        } else {
            self.lines(&widths)
        };
        lines.join("\n")
    }

    fn width(&self, column: usize) -> usize {
        let heading = self.columns.get(column).map_or(0, |(heading, _)| heading.len());
        let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0).max(heading)
    }

    fn lines(&self, widths: &[usize]) -> Vec<String> {
        let headings: Vec<Cell> =
            self.columns.iter().map(|(heading, _)| Cell::styled(*heading, BOLD)).collect();
        let mut lines = vec![self.line(&headings, widths)];
        for row in &self.rows {
            lines.push(self.line(&row.cells, widths));
            lines.extend(row.below.iter().map(|below| format!("  {below}")));
        }
        lines
    }

    fn line(&self, cells: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        let mut pending = 0;
        for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let blanks = width - cell.text.chars().count();
            let (before, after) = match align {
                Align::Left => (0, blanks),
                Align::Right => (blanks, 0),
            };
            // Blanks are written only before text, so that no line ends in them.
            if cell.text.is_empty() {
                pending += width + GAP;
            } else {
                line.push_str(&" ".repeat(pending + before));
                line.push_str(&styled(cell.style, &cell.text));
                pending = after + GAP;
            }
        }
        line
    }

    fn blocks(&self) -> Vec<String> {
        let label = self.columns.iter().map(|(heading, _)| heading.len()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for row in &self.rows {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            for ((heading, _), cell) in self.columns.iter().zip(&row.cells) {
                if !cell.text.is_empty() {
                    let text = styled(cell.style, &cell.text);
                    lines.push(format!("{}  {text}", styled(LABEL, &format!("{heading:<label$}"))));
                }
            }
            lines.extend(row.below.clone());
        }
        lines
    }
}

/// Labelled values, one a line, the values aligned; a value's further lines are indented as well.
pub(crate) fn labelled(rows: &[(&str, String)]) -> String {
    let label = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let indent = " ".repeat(label + GAP);
    let lines: Vec<String> = rows
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let value = value.replace('\n', &format!("\n{indent}"));
            format!("{}{value}", styled(LABEL, &format!("{name:<label$}  ")))
        })
        .collect();
    lines.join("\n")
}
