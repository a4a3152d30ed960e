//! Tables that scroll inside the page where they are wide.

use super::escape;

/// A table being written: the first column heads its rows, the others are numbers.
pub(super) struct Table {
    html: String,
}

impl Table {
    /// With a caption and the heads of its columns, plain text.
    pub fn new(caption: &str, heads: &[&str]) -> Self {
        // Outside of what scrolls, so that it is read without scrolling.
        let caption = escape::clipped(caption, 400);
        let mut html = format!(
            "<div class=\"table\"><p class=\"caption\">{caption}</p><div class=\"wide\" tabindex=\"0\" \
             role=\"region\" aria-label=\"{caption}\"><table><thead><tr>"
        );
        for head in heads {
            put!(html, "<th scope=\"col\">{}</th>", escape::name(head));
        }
        html += "</tr></thead><tbody>\n";
        Self { html }
    }

    /// A row of plain text.
    pub fn row<S: AsRef<str>>(&mut self, head: &str, cells: impl IntoIterator<Item = S>) {
        put!(self.html, "<tr><th scope=\"row\">{}</th>", escape::name(head));
        for cell in cells {
            put!(self.html, "<td>{}</td>", escape::clipped(cell.as_ref(), 400));
        }
        self.html += "</tr>\n";
    }

    /// The whole.
    pub fn finish(self) -> String {
        self.html + "</tbody></table></div></div>\n"
    }
}
