//! The benchmark's three cameras.

use std::path::Path;

use crate::import::Pinhole;

/// The camera of a sequence by the name of its folder, as `rgbd_dataset_freiburg1_desk`; the colour camera's
/// calibrations are those on the benchmark's page "Intrinsic Camera Calibration of the Kinect". A folder of
/// another name gets what the page recommends without a calibration, and a warning.
pub(super) fn lens_of(folder: &Path) -> Pinhole {
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    lens_named(&name).unwrap_or_else(|| {
        tracing::warn!(
            "'{}': no freiburg1, 2 or 3 in the folder's name, so the camera is taken for one with a focal length of 525 px",
            folder.display()
        );
        Pinhole { fx: 525.0, fy: 525.0, cx: 319.5, cy: 239.5, d: [0.0; 5] }
    })
}

fn lens_named(name: &str) -> Option<Pinhole> {
    let camera = name.split_once("freiburg")?.1.chars().next()?;
    Some(match camera {
        '1' => Pinhole {
            fx: 517.3,
            fy: 516.5,
            cx: 318.6,
            cy: 255.3,
            d: [0.2624, -0.9531, -0.0054, 0.0026, 1.1633],
        },
        '2' => Pinhole {
            fx: 520.9,
            fy: 521.0,
            cx: 325.1,
            cy: 249.7,
            d: [0.2312, -0.7849, -0.0033, -0.0001, 0.9172],
        },
        // Its images were rectified before they were published.
        '3' => Pinhole { fx: 535.4, fy: 539.2, cx: 320.1, cy: 247.6, d: [0.0; 5] },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::lens_named;

    #[test]
    fn cameras_are_known_by_their_folder() {
        let fx = |name| lens_named(name).map(|lens| lens.fx);
        assert_eq!(fx("rgbd_dataset_freiburg1_desk"), Some(517.3));
        assert_eq!(fx("rgbd_dataset_freiburg2_xyz"), Some(520.9));
        assert_eq!(fx("rgbd_dataset_freiburg3_long_office_household"), Some(535.4));
        assert_eq!(fx("office"), None);
        assert_eq!(fx("freiburg"), None);
    }
}
