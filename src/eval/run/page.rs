//! `report.html`: what is shown beside the report, collected on the way, and the camera images of the worst
//! frames, looked up at the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::depth_score::DepthScores;
use super::detection_score::DetectionScores;
use super::source::Source;
use super::tasks::Scored;
use super::{EvalError, Report, TOLERANCE_NS};
use crate::bag::{Bag, ReadFilter, UnpackWatch};
use crate::eval::html::{CameraPicture, ClassCurve, DepthView, FrameMark, Page, SweepView};
use crate::message::{CompressedImage, Image, Message, Stamp, from_cdr};
use crate::sensor::{DecodedImage, ImageView, decode_compressed};

/// Name of the file.
const PAGE_FILE: &str = "report.html";
/// How far from the truth its camera image may have been logged, nanoseconds.
const LOGGED_WITHIN_NS: i64 = 1_000_000_000;

/// What the page shows beside the report.
#[derive(Debug, Default)]
pub(super) struct Shown {
    depth_frames: Vec<FrameMark>,
    detection_frames: Vec<FrameMark>,
    curves: Vec<ClassCurve>,
    depth_views: Vec<DepthView>,
    sweep_views: Vec<SweepView>,
}

impl Shown {
    /// Takes it out of what was scored.
    pub fn take(
        depth: &mut Option<Scored<DepthScores>>,
        detection: &mut Option<Scored<DetectionScores>>,
    ) -> Self {
        let mut shown = Self::default();
        if let Some(Scored { scores, marks, .. }) = depth {
            shown.depth_frames = std::mem::take(marks).with(std::mem::take(&mut scores.marks));
            shown.depth_views = std::mem::take(&mut scores.views).into_views();
        }
        if let Some(Scored { scores, marks, .. }) = detection {
            shown.detection_frames = std::mem::take(marks).with(std::mem::take(&mut scores.marks));
            shown.sweep_views = std::mem::take(&mut scores.views).into_views();
            shown.curves = ClassCurve::all(&scores.eval, &scores.classes);
        }
        shown
    }

    /// Writes `report.html` into `folder`, whole or not at all; its path.
    pub fn write(
        mut self,
        report: &Report,
        sources: &[Source],
        unpack: Option<&UnpackWatch>,
        folder: &Path,
    ) -> Result<PathBuf, EvalError> {
        let mut opened = None;
        for view in &mut self.depth_views {
            if let Some(source) = sources.get(view.run) {
                view.camera = camera(view, source, unpack, &mut opened);
            }
        }
        if let Some(detection) = &report.detection {
            self.curves = ClassCurve::with_truth(self.curves, &detection.figures.nuscenes);
        }
        let path = folder.join(PAGE_FILE);
        let fail = |reason: String| EvalError::Write { path: path.clone(), reason };
        let page = Page {
            report,
            configs: sources.iter().map(|source| source.summary.as_ref()?.get("config")).collect(),
            depth_frames: self.depth_frames,
            detection_frames: self.detection_frames,
            curves: self.curves,
            depth_views: self.depth_views,
            sweep_views: self.sweep_views,
        };
        let text = page.render().map_err(|error| fail(error.to_string()))?;
        let partial = folder.join(format!("{PAGE_FILE}.partial"));
        std::fs::write(&partial, text).map_err(|error| fail(error.to_string()))?;
        std::fs::rename(&partial, &path).map_err(|error| fail(error.to_string()))?;
        Ok(path)
    }
}

/// The camera image of a view: in the recording with its truth, else in that of the outputs. An error says why
/// there is none. The recording stays in `opened` for the next view.
fn camera(
    view: &DepthView,
    source: &Source,
    unpack: Option<&UnpackWatch>,
    opened: &mut Option<Bag>,
) -> Result<CameraPicture, String> {
    let outputs: Option<Arc<Path>> = source.live.then(|| Arc::from(source.outputs.as_path()));
    let places = [Some(Arc::clone(&view.bag)), outputs].into_iter().flatten();
    let mut why = String::new();
    for place in places {
        if opened.as_ref().is_none_or(|bag| bag.path() != &*place) {
            *opened = Some(Bag::open_watched(&*place, unpack.cloned()).map_err(|error| error.to_string())?);
        }
        let Some(bag) = opened else { break };
        match image_of(view, source, bag) {
            Ok(picture) => return Ok(picture),
            Err(reason) if why.is_empty() => why = reason,
            Err(_) => {}
        }
    }
    Err(why)
}

fn image_of(view: &DepthView, source: &Source, bag: &Bag) -> Result<CameraPicture, String> {
    let raw = source.topic("image");
    let compressed = source.topic("image/compressed");
    let find = |name: &str, type_name: &str| {
        let fits = |topic: &crate::bag::TopicInfo| topic.name == name && topic.type_name == type_name;
        bag.info().topics.iter().position(fits)
    };
    let (topic, is_raw) = match (find(&raw, Image::TYPE_NAME), find(&compressed, CompressedImage::TYPE_NAME))
    {
        (Some(topic), _) => (topic, true),
        (None, Some(topic)) => (topic, false),
        (None, None) => {
            return Err(format!(
                "no camera image: '{}' has neither '{raw}' nor '{compressed}'",
                bag.path().display()
            ));
        }
    };
    let filter = ReadFilter {
        topics: Some(vec![topic]),
        start: Some(view.logged.offset_ns(-LOGGED_WITHIN_NS)),
        end: Some(view.logged.offset_ns(LOGGED_WITHIN_NS)),
    };
    let mut nearest: Option<(i64, Vec<u8>)> = None;
    for message in bag.messages(&filter).map_err(|error| error.to_string())? {
        // Damage elsewhere in the recording is told by the report already.
        let Ok(message) = message else { continue };
        let Some(stamp) = stamp_of(&message.data, is_raw) else { continue };
        let apart = stamp.since_ns(view.stamp).saturating_abs();
        if apart <= TOLERANCE_NS && nearest.as_ref().is_none_or(|(least, _)| apart < *least) {
            nearest = Some((apart, message.data));
        }
    }
    let Some((_, data)) = nearest else {
        return Err("no camera image with this stamp was logged within a second of the truth".to_owned());
    };
    if is_raw {
        let image: Image<'_> = from_cdr(&data).map_err(|error| error.to_string())?;
        let view = ImageView::new_color(&image).map_err(|error| error.to_string())?;
        return Ok(CameraPicture::new(&view));
    }
    let image: CompressedImage<'_> = from_cdr(&data).map_err(|error| error.to_string())?;
    let mut decoded = DecodedImage::default();
    decode_compressed(&image, &mut decoded).map_err(|error| error.to_string())?;
    Ok(CameraPicture::new(&decoded.view().map_err(|error| error.to_string())?))
}

fn stamp_of(data: &[u8], is_raw: bool) -> Option<Stamp> {
    if is_raw {
        from_cdr::<Image<'_>>(data).ok().map(|image| image.header.stamp)
    } else {
        from_cdr::<CompressedImage<'_>>(data).ok().map(|image| image.header.stamp)
    }
}
