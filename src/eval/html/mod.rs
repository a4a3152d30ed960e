//! The report as one HTML page that needs nothing else: no network, no script, no other file.
//!
//! In: the report, and what its plots and pictures need beside it ([`Page`]). Out: text of at most about 2 MB,
//! the same for the same input; that it is XML too lets any parser check it. What comes from recordings
//! (names, paths, frame ids) goes through [`Escaped`] and is cut where it is long. A part that has nothing to
//! show says why in words.
//!
//! Series of a plot differ by colour (Okabe and Ito 2008, darkened for light ground), dashes and markers, so
//! that no form of colour blindness and no printer makes two of them one.

/// Appends text to a `String`, which cannot fail.
macro_rules! put {
    ($text:expr, $($arguments:tt)*) => {{
        let _ = std::fmt::Write::write_fmt(&mut $text, format_args!($($arguments)*));
    }};
}

mod ablation_part;
mod class_curve;
mod depth_part;
mod depth_view;
mod detection_part;
mod diverging;
mod encode;
mod environment;
mod escape;
mod fate_lanes;
mod frame_mark;
mod greedy;
mod latency_plot;
mod legend;
mod page;
mod pictures;
mod svg;
mod sweep_map;
mod sweep_view;
mod table;
mod timeline;
mod timing;
mod values;
mod worst_views;

pub use class_curve::ClassCurve;
pub use depth_view::{CameraPicture, DepthView};
pub use escape::Escaped;
pub use frame_mark::{Fate, FrameMark};
pub use page::Page;
pub use sweep_view::SweepView;
pub use worst_views::WorstViews;
