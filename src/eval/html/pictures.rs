//! The worst frames as pictures.

use super::encode::jpeg;
use super::{DepthView, Page, SweepView, escape, legend, sweep_map, values};
use crate::depth::DepthColours;
use crate::eval::picture::PictureError;

/// Depth scale where no truth tells one, metres.
const USUAL_M: (f32, f32) = (0.5, 50.0);

/// Both tasks; what there is nothing of is said.
pub(super) fn part(page: &Page<'_>) -> Result<String, PictureError> {
    let mut html = "<section id=\"worst\"><h2>Worst frames</h2>\n".to_owned();
    if page.depth_views.is_empty() {
        html += "<p>Depth: no frame was scored, so there is none to show.</p>\n";
    } else {
        html += &depth(page, &page.depth_views)?;
    }
    if page.sweep_views.is_empty() {
        html += match &page.report.detection {
            Some(section) if section.figures.frames > 0 => {
                "<p>Detection: no frame has a missed truth box or a wrong detection.</p>\n"
            }
            _ => "<p>Detection: no frame was scored, so there is none to show.</p>\n",
        };
    } else {
        html += &detection(page, &page.sweep_views)?;
    }
    Ok(html + "</section>\n")
}

fn depth(page: &Page<'_>, views: &[DepthView]) -> Result<String, PictureError> {
    let scale = scale_m(views);
    let colours = DepthColours::new(scale.0, scale.1).map_err(|error| PictureError::Range {
        what: "depth scale",
        expected: "0 < near < far in metres",
        found: error.to_string(),
    })?;
    let mut html = format!(
        "<h3>Depth: the largest AbsRel</h3><div class=\"scales\"><div>depth{}</div><div>error, of the truth{}\
         </div></div><p class=\"note\">Hatched: no depth. Grey: no truth from 0.2 to 80 m.</p>\n",
        legend::depth(&colours),
        legend::error()
    );
    for view in views {
        put!(
            html,
            "<h4>{}: AbsRel {}, δ1 {}, coverage {}</h4><div class=\"panels\">",
            page.frame(view.run, view.stamp),
            values::figure(view.figures.abs_rel),
            values::figure(view.figures.delta1),
            values::percent(view.figures.coverage)
        );
        match &view.camera {
            Ok(camera) => html += &picture("camera", &jpeg(camera.rgb(), camera.size())?, camera.size()),
            Err(reason) => put!(html, "<p class=\"absent\">{}</p>", escape::clipped(reason, 400)),
        }
        html += &picture("depth", &jpeg(&view.depth_rgb(&colours), view.size())?, view.size());
        html += &picture("error", &jpeg(&view.error_rgb(), view.size())?, view.size());
        html += "</div>\n";
    }
    Ok(html)
}

/// One scale for all frames, so that a colour is one distance: from the 1st to the 99th percentile.
fn scale_m(views: &[DepthView]) -> (f32, f32) {
    let mut truth: Vec<f32> = views.iter().flat_map(DepthView::truth).collect();
    truth.sort_unstable_by(f32::total_cmp);
    let at = |percent: usize| truth.get(truth.len() * percent / 100).copied();
    match at(1).zip(at(99)) {
        Some((near, far)) if near * 1.05 < far => (near, far),
        Some((near, _)) => (near * 0.8, near * 1.25),
        None => USUAL_M,
    }
}

fn picture(what: &str, address: &str, [width, height]: [usize; 2]) -> String {
    format!(
        "<figure><img src=\"{address}\" width=\"{width}\" height=\"{height}\" alt=\"{what}\"/><figcaption>{what}\
         </figcaption></figure>"
    )
}

fn detection(page: &Page<'_>, views: &[SweepView]) -> Result<String, PictureError> {
    let mut html = format!(
        "<h3>Detection: the lowest F1 at 2 m and a score of 0.3</h3>{}<p class=\"note\">Seen from above, forward is \
         up; the line in a box points to its front.</p><div class=\"maps\">\n",
        sweep_map::legend()
    );
    for view in views {
        put!(
            html,
            "<figure>{}<figcaption><b>{}: F1 {}</b><br/>{}{}</figcaption></figure>\n",
            sweep_map::map(view)?,
            page.frame(view.run, view.stamp),
            values::figure(view.figures.f1()),
            sweep_map::counts(view),
            if view.points.is_some() { "" } else { "; no sweep to show" }
        );
    }
    Ok(html + "</div>\n")
}
