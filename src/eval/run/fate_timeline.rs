//! What became of the frames of a run, over the time of its recordings: from the table that `replay` wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::replay::FRAMES_FILE;
use crate::table::{ParquetColumns, TableError};

/// Most steps of a timeline. So many frames have one each.
const STEPS: usize = 200;
/// Most nodes of a run; there are two, and what another program wrote may have any number.
const NODES: usize = 8;
/// Most bags of a run whose beginnings are told.
const BOUNDARIES: usize = 100;

/// What became of the frames of one node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FateTimeline {
    /// Frames.
    pub frames: u64,
    /// Seconds of recording, from the first frame of the run to its last; bags follow each other without a gap.
    pub seconds: f64,
    /// Where the second and each later bag begins, seconds.
    pub bags_at_s: Vec<f64>,
    /// Length of a step, seconds; absent where each frame is a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_s: Option<f64>,
    /// By rising time; steps without frames are left out.
    pub steps: Vec<FateStep>,
}

/// A step of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FateStep {
    /// Where it begins, seconds from the first frame of the run.
    pub at_s: f64,
    /// How many frames were `published` or dropped, by reason.
    pub fates: BTreeMap<String, u64>,
}

/// Log times of the frames of a bag, nanoseconds.
#[derive(Clone, Copy)]
struct Extent {
    first: i64,
    last: i64,
    /// Seconds of the bags before
    before_s: f64,
}

impl Extent {
    fn at_s(&self, logged_ns: i64) -> f64 {
        self.before_s + seconds(self.first, logged_ns)
    }
}

fn seconds(from_ns: i64, to_ns: i64) -> f64 {
    to_ns.saturating_sub(from_ns) as f64 / 1e9
}

/// Reads the table in a run's folder, by node; `None` if there is none.
pub(super) fn timelines(folder: &Path) -> Result<Option<BTreeMap<String, FateTimeline>>, TableError> {
    let path = folder.join(FRAMES_FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let columns = ParquetColumns::open(&path)?;
    let (nodes, fates) = (columns.texts("node")?, columns.texts("fate")?);
    let (bags, logged) = (columns.integers("bag_index")?, columns.integers("logged_ns")?);
    let mut extents: BTreeMap<i64, Extent> = BTreeMap::new();
    for (bag, at) in bags.iter().zip(&logged) {
        let extent = extents.entry(*bag).or_insert(Extent { first: *at, last: *at, before_s: 0.0 });
        (extent.first, extent.last) = (extent.first.min(*at), extent.last.max(*at));
    }
    let mut before_s = 0.0;
    for extent in extents.values_mut() {
        extent.before_s = before_s;
        before_s += seconds(extent.first, extent.last);
    }
    let bags_at_s: Vec<f64> = extents.values().skip(1).take(BOUNDARIES).map(|bag| bag.before_s).collect();
    let mut timelines = BTreeMap::new();
    for (index, node) in nodes.names.iter().enumerate().take(NODES) {
        let rows = nodes.rows.iter().zip(&fates.rows).zip(bags.iter().zip(&logged));
        let of_node = rows.filter(|((of, _), _)| usize::from(**of) == index);
        let frames: Vec<(f64, u16)> =
            of_node.filter_map(|((_, fate), (bag, at))| Some((extents.get(bag)?.at_s(*at), *fate))).collect();
        timelines.insert(node.clone(), timeline(frames, &fates.names, before_s, bags_at_s.clone()));
    }
    Ok(Some(timelines))
}

/// Of frames with their times and the indices of their fates.
fn timeline(
    mut frames: Vec<(f64, u16)>,
    names: &[String],
    seconds: f64,
    bags_at_s: Vec<f64>,
) -> FateTimeline {
    frames.sort_by(|a, b| a.0.total_cmp(&b.0));
    let step_s = (frames.len() > STEPS).then(|| seconds / STEPS as f64);
    let mut steps: Vec<FateStep> = Vec::new();
    let mut last = None;
    for (number, (at_s, fate)) in frames.iter().enumerate() {
        // The last frame is at the end of the last step. Where all are at one time, 0/0 is step 0.
        let step = step_s.map_or(number, |step_s| ((at_s / step_s) as usize).min(STEPS - 1));
        if last.replace(step) != Some(step) {
            let begin_s = step_s.map_or(*at_s, |step_s| step as f64 * step_s);
            steps.push(FateStep { at_s: begin_s, fates: BTreeMap::new() });
        }
        if let (Some(step), Some(name)) = (steps.last_mut(), names.get(usize::from(*fate))) {
            match step.fates.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(step.fates.insert(name.clone(), 1)),
            }
        }
    }
    FateTimeline { frames: frames.len() as u64, seconds, bags_at_s, step_s, steps }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, ColumnKind, ParquetTable};

    const SECOND: i64 = 1_000_000_000;

    /// Writes rows of bag, log time in seconds, node and fate.
    fn written(rows: &[(i64, i64, &str, &str)]) -> BTreeMap<String, FateTimeline> {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(timelines(folder.path()).unwrap(), None);
        let columns = [
            ("node", ColumnKind::Text),
            ("bag_index", ColumnKind::Integer),
            ("logged_ns", ColumnKind::Integer),
            ("fate", ColumnKind::Text),
        ];
        let mut table = ParquetTable::create(&folder.path().join(FRAMES_FILE), &columns).unwrap();
        for (bag, at_s, node, fate) in rows {
            let row = [Cell::Text(node), Cell::Integer(*bag), Cell::Integer(at_s * SECOND), Cell::Text(fate)];
            table.row(&row).unwrap();
        }
        table.finish().unwrap();
        timelines(folder.path()).unwrap().unwrap()
    }

    #[test]
    fn few_frames_have_a_step_each_and_bags_follow_each_other() {
        let found = written(&[
            (0, 1000, "depth", "published"),
            (0, 1001, "detection", "superseded"),
            (0, 1004, "depth", "published"),
            (1, 7, "depth", "no_camera_info"),
            (1, 8, "detection", "published"),
        ]);
        let depth = &found["depth"];
        let steps: Vec<(f64, &str)> =
            depth.steps.iter().map(|step| (step.at_s, step.fates.keys().next().unwrap().as_str())).collect();
        assert_eq!(steps, [(0.0, "published"), (4.0, "published"), (4.0, "no_camera_info")]);
        assert_eq!((depth.frames, depth.seconds, depth.step_s), (3, 5.0, None));
        assert_eq!(depth.bags_at_s, [4.0]);
        assert_eq!(found["detection"].steps[0].at_s, 1.0);
    }

    #[test]
    fn many_frames_share_steps_and_none_is_lost() {
        let rows: Vec<_> = (0..1001)
            .map(|i| (0, i, "depth", if i % 10 == 3 { "superseded" } else { "published" }))
            .collect();
        let depth = &written(&rows)["depth"];
        assert_eq!((depth.steps.len(), depth.step_s), (STEPS, Some(5.0)));
        let total = |fate: &str| {
            depth.steps.iter().map(|step| step.fates.get(fate).copied().unwrap_or(0)).sum::<u64>()
        };
        assert_eq!((total("published"), total("superseded")), (901, 100));
        assert_eq!(depth.steps[1].at_s, 5.0);
    }

    #[test]
    fn frames_of_one_time_or_of_any_are_no_trouble() {
        let rows: Vec<_> = (0..300).map(|_| (0, 5, "depth", "published")).collect();
        let depth = &written(&rows)["depth"];
        assert_eq!((depth.seconds, depth.step_s, depth.steps.len()), (0.0, Some(0.0), 1));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FRAMES_FILE), b"no table").unwrap();
        assert!(timelines(folder.path()).is_err());
    }
}
