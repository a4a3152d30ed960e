//! Radar scans: binary PCD 0.7 files of the Point Cloud Library.
//!
//! Written are the returns that the development kit takes by default: of valid state, of any motion but "unknown
//! by the sensor", and with an unambiguous Doppler. Their velocity relative to the car becomes a range rate.

use std::path::Path;

use crate::import::{ImportError, files};
use crate::message::{CloudLayout, PointField};

/// Layout of the clouds: x y z in metres, range rate in m/s, positive when receding, and RCS in dBsm.
pub(super) const CLOUD: CloudLayout = CloudLayout {
    fields: &[
        PointField::scalar("x", 0, PointField::FLOAT32),
        PointField::scalar("y", 4, PointField::FLOAT32),
        PointField::scalar("z", 8, PointField::FLOAT32),
        PointField::scalar("range_rate", 12, PointField::FLOAT32),
        PointField::scalar("rcs", 16, PointField::FLOAT32),
    ],
    step: 20,
};
/// `invalid_state` of a valid return
const VALID: i64 = 0;
/// `dyn_prop` beyond these are not known to the sensor
const KNOWN_MOTION: std::ops::RangeInclusive<i64> = 0..=6;
/// `ambig_state` of an unambiguous Doppler
const UNAMBIGUOUS: i64 = 3;

/// A field of a point.
#[derive(Clone, Copy)]
struct Column {
    offset: usize,
    size: usize,
    is_float: bool,
}

impl Column {
    /// The value in a point; NaN for a type that radar files do not use.
    fn value(self, point: &[u8]) -> f64 {
        let Some(bytes) = point.get(self.offset..self.offset + self.size) else { return f64::NAN };
        match (self.is_float, bytes) {
            (true, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]).into(),
            (false, &[a]) => i8::from_le_bytes([a]).into(),
            (false, &[a, b]) => i16::from_le_bytes([a, b]).into(),
            (false, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]).into(),
            _ => f64::NAN,
        }
    }
}

/// What stands before the points.
struct Head<'a> {
    path: &'a Path,
    columns: Vec<(&'a str, Column)>,
    /// Bytes of a point
    step: usize,
    points: usize,
}

impl<'a> Head<'a> {
    /// Reads the lines up to `DATA binary`; gives the points' bytes too.
    fn read(path: &'a Path, data: &'a [u8]) -> Result<(Self, &'a [u8]), ImportError> {
        let (mut names, mut sizes, mut types, mut points) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut rest = data;
        for line in 1.. {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let text = end.and_then(|end| rest.get(..end)).and_then(|text| std::str::from_utf8(text).ok());
            let (Some(end), Some(text)) = (end, text) else {
                return Err(ImportError::line(
                    path,
                    line,
                    "expected the header of a PCD file up to 'DATA binary'",
                ));
            };
            rest = rest.get(end + 1..).unwrap_or_default();
            let mut words = text.split_whitespace();
            let whole = |text: &str| {
                text.parse::<usize>().ok().filter(|number| *number <= 1 << 24).ok_or_else(|| {
                    ImportError::line(path, line, format!("expected a whole number, found '{text}'"))
                })
            };
            match words.next().unwrap_or_default() {
                "FIELDS" => names = words.collect(),
                "SIZE" => sizes = words.map(whole).collect::<Result<_, _>>()?,
                "TYPE" => types = words.collect(),
                "COUNT" if words.clone().any(|count| count != "1") => {
                    return Err(ImportError::line(
                        path,
                        line,
                        format!("expected fields of one value, found '{text}'"),
                    ));
                }
                "POINTS" => points = words.next().map(whole).transpose()?,
                "DATA" => {
                    let format = words.next().unwrap_or_default();
                    if format != "binary" {
                        return Err(ImportError::line(
                            path,
                            line,
                            format!("expected DATA binary, found '{format}'"),
                        ));
                    }
                    break;
                }
                _ => {}
            }
        }
        let points = points.ok_or_else(|| ImportError::file(path, "expected a line POINTS, found none"))?;
        if names.len() != sizes.len() || names.len() != types.len() {
            let found = format!("{}, {} and {}", names.len(), sizes.len(), types.len());
            return Err(ImportError::file(
                path,
                format!("expected as many FIELDS as SIZE and TYPE, found {found}"),
            ));
        }
        let mut step = 0;
        let mut columns = Vec::with_capacity(names.len());
        for ((name, size), kind) in names.into_iter().zip(sizes).zip(types) {
            columns.push((name, Column { offset: step, size, is_float: kind == "F" }));
            step += size;
        }
        Ok((Self { path, columns, step, points }, rest))
    }

    fn column(&self, name: &str) -> Result<Column, ImportError> {
        let column = self.columns.iter().find(|(found, _)| *found == name).map(|(_, column)| *column);
        column.ok_or_else(|| {
            let found: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
            ImportError::file(self.path, format!("expected a field '{name}', found {}", found.join(" ")))
        })
    }
}

/// Reads a scan into `out`, in [`CLOUD`]'s layout.
pub(super) fn read(path: &Path, out: &mut Vec<u8>) -> Result<(), ImportError> {
    out.clear();
    let data = files::bytes(path)?;
    let (head, data) = Head::read(path, &data)?;
    let [x, y, z, rcs, vx, vy] = ["x", "y", "z", "rcs", "vx", "vy"].map(|name| head.column(name));
    let (x, y, z, rcs, vx, vy) = (x?, y?, z?, rcs?, vx?, vy?);
    let (valid, motion, ambiguity) =
        (head.column("invalid_state")?, head.column("dyn_prop")?, head.column("ambig_state")?);
    let expected = head.points * head.step;
    if data.len() < expected {
        let reason = format!(
            "expected {expected} bytes for {} points of {} bytes, found {}: the file is cut off",
            head.points,
            head.step,
            data.len()
        );
        return Err(ImportError::file(path, reason));
    }
    if head.step == 0 {
        return Ok(());
    }
    for point in data.chunks_exact(head.step).take(head.points) {
        let state = |column: Column| column.value(point) as i64;
        if state(valid) != VALID || !KNOWN_MOTION.contains(&state(motion)) || state(ambiguity) != UNAMBIGUOUS
        {
            continue;
        }
        let [x, y, z, rcs, vx, vy] = [x, y, z, rcs, vx, vy].map(|column| column.value(point));
        let range = (x * x + y * y + z * z).sqrt();
        // The velocity has no vertical part. A return at the radar itself has no direction.
        let range_rate = if range > 0.0 { (x * vx + y * vy) / range } else { 0.0 };
        for value in [x, y, z, range_rate, rcs] {
            out.extend_from_slice(&(value as f32).to_le_bytes());
        }
    }
    Ok(())
}
