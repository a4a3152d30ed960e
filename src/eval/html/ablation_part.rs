//! What bad radars do to depth.

use super::table::Table;
use super::values::figure;
use crate::eval::ablation::Ablation;

/// The part of the ablation; nothing where there is none.
pub(super) fn part(ablation: Option<&Ablation>) -> String {
    let Some(ablation) = ablation else { return String::new() };
    let mut html = "<section id=\"ablation\"><h2>Ablation of the radars</h2>\n".to_owned();
    put!(html, "<p>{}</p>\n", ablation.verdict());
    for note in &ablation.notes {
        put!(html, "<p class=\"note\">{}</p>\n", super::escape::clipped(note, 1000));
    }
    let caption = format!(
        "The bags played again with a fault in the radars' messages, seed {}; AbsRel beside the next milder condition \
         and beside no radar, with intervals of {:.0} %",
        ablation.seed,
        ablation.confidence * 100.0
    );
    let heads = [
        "radar",
        "AbsRel",
        "interval",
        "δ1",
        "coverage",
        "milder",
        "− milder",
        "interval",
        "− dropped",
        "interval",
        "warned",
        "",
    ];
    let mut table = Table::new(&caption, &heads);
    for score in &ablation.conditions {
        let (cleaner, dropped) = (score.vs_cleaner, score.vs_dropped);
        let mark = cleaner.is_some_and(|step| step.better_than_cleaner == Some(true));
        table.row(
            score.name,
            [
                figure(score.abs_rel),
                range(score.abs_rel_ci),
                figure(score.delta1),
                super::values::percent(score.coverage),
                cleaner.map_or_else(String::new, |step| step.name.to_owned()),
                cleaner.map_or_else(String::new, |step| figure(step.delta)),
                range(cleaner.and_then(|step| step.ci)),
                dropped.map_or_else(String::new, |step| figure(step.delta)),
                range(dropped.and_then(|step| step.ci)),
                score.warned.to_string(),
                if mark { "better than milder".to_owned() } else { String::new() },
            ],
        );
    }
    html += &table.finish();
    for score in &ablation.influence {
        put!(
            html,
            "<p>{}: {} clean, {} shuffled; means of a second tell them apart with AUROC {}, frames with {}.</p>\n",
            score.figure,
            figure(score.clean),
            figure(score.shuffled),
            figure(score.auroc),
            figure(score.auroc_frame)
        );
    }
    html + "</section>\n"
}

fn range(ends: Option<[f64; 2]>) -> String {
    ends.map_or_else(String::new, |[low, high]| format!("{} … {}", figure(low), figure(high)))
}
