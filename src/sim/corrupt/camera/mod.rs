//! What goes wrong with cameras, one family of causes a file.
//!
//! A model sees a picture, not what it was encoded as.

mod blur;
mod exposure;
mod file;
mod noise;
mod obstruction;
mod picture;
mod yuv;

use super::{Kind, Severity};

pub(super) use file::PictureFile;
pub(super) use picture::{CameraModel, Picture};

/// Share of the frames that are lost.
pub(super) const LOST_FRAMES: [f64; 5] = [0.05, 0.10, 0.20, 0.35, 0.50];

/// The model of `kind`; `None` for kinds that are not about pixels.
pub(super) fn model(kind: Kind, severity: Severity) -> Option<Box<dyn CameraModel>> {
    Some(match kind {
        Kind::LowLight => Box::new(exposure::LowLight(severity.of(exposure::LEFT))),
        Kind::OverExposure => Box::new(exposure::OverExposure(severity.of(exposure::TOO_MUCH))),
        Kind::Blur => Box::new(blur::Blur::new(severity.of(blur::SPOT_PX))),
        Kind::CameraNoise => Box::new(noise::CameraNoise(severity.of(noise::DEVIATION))),
        Kind::LensDirt => Box::new(obstruction::LensDirt(severity.of(obstruction::DIRT))),
        Kind::Occlusion => Box::new(obstruction::Occlusion(severity.of(obstruction::HIDDEN))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::draw::TopicDraws;
    use super::picture::Channels;
    use super::*;

    /// An even grey picture.
    pub fn grey(width: usize, height: usize, value: f32) -> Picture {
        let mut picture = Picture::default();
        picture.start(width, height, Channels::Grey);
        picture.values.resize(width * height, value);
        picture
    }

    /// What `model` makes of message number `message` with this picture.
    pub fn applied(model: &mut dyn CameraModel, picture: &Picture, message: u64) -> Picture {
        let mut picture = picture.clone();
        model.apply(&mut picture, TopicDraws::new(11, "kind", "/image").message(message));
        picture
    }

    #[test]
    fn what_is_wrong_grows_with_severity() {
        let mut before = grey(160, 120, 0.0);
        before
            .values
            .iter_mut()
            .enumerate()
            .for_each(|(i, value)| *value = 0.2 + 0.4 * (i * 89 % 251) as f32 / 251.0);
        let kinds = Kind::ALL.iter().filter(|kind| model(**kind, Severity::ALL[0]).is_some());
        let mut count = 0;
        for kind in kinds {
            count += 1;
            let error = |severity| {
                let after = applied(model(*kind, severity).unwrap().as_mut(), &before, 0);
                before.values.iter().zip(&after.values).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>()
            };
            let found = Severity::ALL.map(error);
            assert!(found.is_sorted_by(|a, b| a < b), "{kind}: {found:?}");
        }
        assert_eq!(count, 6);
    }
}
