//! The returns of a radar's cloud, taken out and put back. What a cloud tells twice, as a position and as
//! range and azimuth, stays consistent.

use super::frame::Row;
use crate::message::PointCloud2;
use crate::sensor::{FieldReader, PointCloudView, RadarFields, RadarPreset, SensorError};

/// Names of the fields that repeat the direction.
const AZIMUTHS: [&str; 3] = ["azimuth", "azimuth_angle", "azimuth_rad"];
const ELEVATIONS: [&str; 3] = ["elevation", "elevation_angle", "elevation_rad"];
/// An angle that repeats that of the position does so within this, radians.
const SAME_ANGLE: f32 = 0.02;
const DEGREES: f32 = 180.0 / std::f32::consts::PI;

/// A field with the factor from radians or dB to its unit.
type Scaled<'a> = (FieldReader<'a>, f32);

/// The fields of a radar's cloud.
struct Fields<'a> {
    xyz: [FieldReader<'a>; 3],
    range: Option<FieldReader<'a>>,
    azimuth: Option<Scaled<'a>>,
    elevation: Option<Scaled<'a>>,
    range_rate: Option<FieldReader<'a>>,
    snr: Option<Scaled<'a>>,
    rcs: Option<FieldReader<'a>>,
}

impl<'a> Fields<'a> {
    /// `None` for a cloud without points, which may lack them.
    fn of(view: &PointCloudView<'a>, rows: &[Row]) -> Result<Option<Self>, SensorError> {
        let radar = RadarFields::of(view, RadarPreset::Auto)?;
        let [Some(x), Some(y), Some(z)] = ["x", "y", "z"].map(|name| view.field(name)) else {
            return Ok(None);
        };
        Ok(Some(Self {
            xyz: [x, y, z],
            range: view.field("range"),
            azimuth: angle(view, &AZIMUTHS, rows, |row| row.azimuth),
            elevation: angle(view, &ELEVATIONS, rows, |row| row.elevation),
            range_rate: radar.range_rate,
            snr: radar.snr.map(|(field, scale)| (field, 1.0 / scale)),
            rcs: view.field("rcs"),
        }))
    }

    /// Makes the point at `place` of `data`, a copy of `row.source`, what `row` says; `old` is that source.
    fn write(&self, data: &mut [u8], place: usize, row: &Row, old: &Row) {
        let (range, azimuth, elevation) =
            (row.range - old.range, row.azimuth - old.azimuth, row.elevation - old.elevation);
        if range != 0.0 || azimuth != 0.0 || elevation != 0.0 {
            for (field, value) in self.xyz.iter().zip(row.position()) {
                field.writer().write(data, place, f64::from(value));
            }
            if let Some(field) = self.range {
                field.writer().write(data, place, f64::from(row.range));
            }
            add(self.azimuth, data, place, row.source, azimuth);
            add(self.elevation, data, place, row.source, elevation);
        }
        if let Some(field) = self.range_rate
            && row.range_rate.to_bits() != old.range_rate.to_bits()
        {
            field.writer().write(data, place, f64::from(row.range_rate));
        }
        add(self.snr, data, place, row.source, row.gain_db - row.noise_db);
        add(self.rcs.map(|field| (field, 1.0)), data, place, row.source, row.gain_db);
    }
}

/// Writes what `source` has plus `change`.
fn add(field: Option<Scaled<'_>>, data: &mut [u8], place: usize, source: usize, change: f32) {
    if let Some((field, factor)) = field
        && change != 0.0
    {
        field.writer().write(data, place, field.f64(source) + f64::from(change * factor));
    }
}

/// The field that repeats an angle, in the unit and with the sign in which it agrees with most positions.
fn angle<'a>(
    view: &PointCloudView<'a>,
    names: &[&str],
    rows: &[Row],
    of: impl Fn(&Row) -> f32,
) -> Option<Scaled<'a>> {
    let field = names.iter().find_map(|name| view.field(name))?;
    let agreeing = |factor: &f32| {
        rows.iter().filter(|row| (field.f32(row.source) / factor - of(row)).abs() < SAME_ANGLE).count()
    };
    // The last of equals counts: radians, anticlockwise.
    [-DEGREES, -1.0, DEGREES, 1.0].into_iter().max_by_key(agreeing).map(|factor| (field, factor))
}

/// The returns of a cloud; points that are none are not among them.
pub fn load_cloud(cloud: &PointCloud2<'_>, rows: &mut Vec<Row>) -> Result<(), SensorError> {
    let view = PointCloudView::new(cloud)?;
    let fields = RadarFields::of(&view, RadarPreset::Auto)?;
    rows.clear();
    let returns = view.points().enumerate().filter(|(_, position)| position.iter().all(|v| v.is_finite()));
    rows.extend(returns.map(|(i, position)| Row {
        range_rate: fields.range_rate.map_or(f32::NAN, |field| field.f32(i)),
        snr_db: fields.snr.map_or(f32::NAN, |(field, scale)| field.f32(i) * scale),
        ..Row::at(i, position)
    }));
    Ok(())
}

/// The data of the cloud with the returns `after` in place of its own, `before`, and the number of its points.
///
/// Points that were no returns stay, at the end. Organised clouds keep their shape: returns that are gone become
/// NaN (the origin in clouds of integers), and none can be added.
pub fn store_cloud(
    cloud: &PointCloud2<'_>,
    before: &[Row],
    after: &[Row],
    data: &mut Vec<u8>,
) -> Result<usize, SensorError> {
    let view = PointCloudView::new(cloud)?;
    data.clear();
    data.extend_from_slice(cloud.data);
    let Some(fields) = Fields::of(&view, before)? else { return Ok(view.len()) };
    // Rows are in the order of their sources.
    let row_of = |rows: &[Row], source| rows.binary_search_by_key(&source, |row| row.source).ok();
    if cloud.height > 1 {
        // Only rows from the message itself have a place of their own; they come first.
        let own = own_rows(after);
        let nothing = if fields.xyz.iter().all(FieldReader::is_float) { f64::NAN } else { 0.0 };
        for old in before {
            match row_of(own, old.source).and_then(|i| own.get(i)) {
                Some(row) => fields.write(data, old.source, row, old),
                None => fields.xyz.iter().for_each(|field| field.writer().write(data, old.source, nothing)),
            }
        }
        return Ok(view.len());
    }
    let step = cloud.point_step as usize;
    let point = |source: usize| cloud.data.get(source * step..(source + 1) * step).unwrap_or_default();
    data.clear();
    for row in after {
        data.extend_from_slice(point(row.source));
    }
    for (place, row) in after.iter().enumerate() {
        if let Some(old) = row_of(before, row.source).and_then(|i| before.get(i)) {
            fields.write(data, place, row, old);
        }
    }
    let others = (0..view.len()).filter(|i| row_of(before, *i).is_none());
    others.for_each(|i| data.extend_from_slice(point(i)));
    Ok(data.len().checked_div(step).unwrap_or(0))
}

/// The rows in front of the first copy of one.
fn own_rows(rows: &[Row]) -> &[Row] {
    let last = rows.windows(2).position(|pair| matches!(pair, [a, b] if b.source <= a.source));
    rows.get(..last.map_or(rows.len(), |last| last + 1)).unwrap_or(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{PointField, from_cdr, to_cdr};
    use proptest::prelude::*;

    /// Azimuths are in degrees.
    const NAMES: [&str; 8] = ["x", "y", "z", "range", "azimuth", "range_rate", "rcs", "snr"];

    fn message(rows: u32, values: &[[f32; 8]]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        let field =
            |(i, name): (u32, _)| PointField { name, offset: i * 4, datatype: PointField::FLOAT32, count: 1 };
        let width = values.len() as u32 / rows;
        let cloud = PointCloud2 {
            height: rows,
            width,
            fields: (0..).zip(NAMES).map(field).collect(),
            point_step: 32,
            row_step: 32 * width,
            data: &data,
            ..PointCloud2::default()
        };
        let mut bytes = Vec::new();
        to_cdr(&cloud, &mut bytes);
        bytes
    }

    fn values() -> Vec<[f32; 8]> {
        let value = |i: usize| {
            let (range, azimuth) = (3.0 + i as f32, -0.8 + 0.2 * i as f32);
            [range * azimuth.cos(), range * azimuth.sin(), 0.0, range, azimuth.to_degrees(), -1.5, 4.0, 20.0]
        };
        (0..8).map(value).collect()
    }

    /// What is read after `change`.
    fn changed(rows: u32, values: &[[f32; 8]], change: impl FnOnce(&mut Vec<Row>)) -> Vec<[f32; 8]> {
        let (mut before, mut data) = (Vec::new(), Vec::new());
        let bytes = message(rows, values);
        let cloud: PointCloud2<'_> = from_cdr(&bytes).unwrap();
        load_cloud(&cloud, &mut before).unwrap();
        let mut after = before.clone();
        change(&mut after);
        let points = store_cloud(&cloud, &before, &after, &mut data).unwrap() as u32;
        let mut stored = Vec::new();
        let width = points / rows;
        to_cdr(&PointCloud2 { width, row_step: width * 32, data: &data, ..cloud.clone() }, &mut stored);
        let view = PointCloudView::new(&from_cdr(&stored).unwrap()).unwrap();
        (0..view.len()).map(|i| NAMES.map(|name| view.field(name).unwrap().f32(i))).collect()
    }

    #[test]
    fn nothing_changed_is_as_before() {
        for rows in [1, 2] {
            assert_eq!(changed(rows, &values(), |_| ()), values());
        }
    }

    #[test]
    fn what_is_told_twice_stays_consistent() {
        let after = changed(1, &values(), |rows| {
            for row in rows.iter_mut() {
                (row.azimuth, row.range) = (row.azimuth + 0.1, 2.0 * row.range);
            }
            rows[0].gain_db = -6.0;
            rows[1].noise_db = 3.0;
            rows[2].range_rate = 1.5;
        });
        for (i, ([x, y, z, range, azimuth, ..], old)) in after.iter().zip(values()).enumerate() {
            assert!(
                (range - 2.0 * old[3]).abs() < 1e-4 && (azimuth - old[4] - 0.1_f32.to_degrees()).abs() < 1e-3
            );
            assert!((y.atan2(*x).to_degrees() - azimuth).abs() < 1e-3, "{i}");
            assert!((super::super::super::lidar::norm([*x, *y, *z]) - range).abs() < 1e-4);
        }
        let strengths: Vec<_> = after.iter().map(|value| (value[5], value[6], value[7])).take(3).collect();
        assert_eq!(strengths, [(-1.5, -2.0, 14.0), (-1.5, 4.0, 17.0), (1.5, 4.0, 20.0)]);
    }

    #[test]
    fn returns_come_and_go() {
        let edit = |rows: &mut Vec<Row>| {
            rows.remove(3);
            rows.push(Row { range: 50.0, ..rows[0] });
        };
        let after = changed(1, &values(), edit);
        assert_eq!((after.len(), after[3], after[7][3]), (8, values()[4], 50.0));
        let after = changed(2, &values(), edit);
        assert!(after.len() == 8 && after[3][0].is_nan() && after[0] == values()[0], "no room in a grid");
        let mut with_nan = values();
        with_nan[2][0] = f32::NAN;
        let after = changed(1, &with_nan, edit);
        assert!(after.len() == 8 && after[7][0].is_nan() && after[7][3] == 5.0);
    }

    proptest! {
        #[test]
        fn any_cloud_can_be_stored(rows in 1..4_u32, values in prop::collection::vec(prop::array::uniform8(any::<f32>()), 12), gone in 0..12_usize) {
            let after = changed(rows, &values, |rows| {
                if gone < rows.len() {
                    rows.remove(gone);
                }
                for row in rows.iter_mut() {
                    row.range *= 2.0;
                }
                rows.extend(rows.first().copied());
            });
            prop_assert!(after.len() <= 13);
        }
    }
}
