//! A cloud that is changed in place: whatever its layout, only what a step touches becomes different.

use smallvec::SmallVec;

use crate::message::{Header, PointCloud2, PointField, Stamp, to_cdr};
use crate::sensor::{FieldReader, FieldWriter, PointCloudView, SensorError};

/// A field of the cloud; the name is owned, as the message it came from is gone when it is written.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    offset: u32,
    datatype: u8,
    count: u32,
}

/// A cloud between its messages. Keep one for all clouds: its memory is used again.
#[derive(Debug, Default)]
pub(super) struct CloudEdit {
    stamp: Stamp,
    frame_id: String,
    fields: Vec<Field>,
    height: u32,
    width: u32,
    point_step: u32,
    row_step: u32,
    is_bigendian: bool,
    is_dense: bool,
    data: Vec<u8>,
    next: Vec<u8>,
    removed: Vec<bool>,
}

/// What a step changes.
pub(super) struct Changes<'e> {
    data: &'e mut Vec<u8>,
    removed: &'e mut [bool],
    xyz: Option<[FieldWriter; 3]>,
}

impl Changes<'_> {
    /// Takes point `i` out: unordered clouds become shorter, of organised ones it is no return any more.
    #[inline]
    pub fn remove(&mut self, i: usize) {
        if let Some(removed) = self.removed.get_mut(i) {
            *removed = true;
        }
    }

    /// Puts point `i` to another position, metres, sensor frame.
    #[inline]
    pub fn move_to(&mut self, i: usize, position: [f32; 3]) {
        for (writer, value) in self.xyz.iter().flatten().zip(position) {
            writer.write(self.data, i, f64::from(value));
        }
    }

    /// Writes a field of point `i`.
    #[inline]
    pub fn write(&mut self, field: FieldWriter, i: usize, value: f64) {
        field.write(self.data, i, value);
    }
}

impl CloudEdit {
    /// Takes a cloud in; an error when its layout makes no sense.
    pub fn load(&mut self, cloud: &PointCloud2<'_>) -> Result<(), SensorError> {
        PointCloudView::new(cloud)?;
        self.stamp = cloud.header.stamp;
        self.frame_id.clear();
        self.frame_id.push_str(cloud.header.frame_id);
        self.fields.clear();
        self.fields.extend(cloud.fields.iter().map(|field| Field {
            name: field.name.to_owned(),
            offset: field.offset,
            datatype: field.datatype,
            count: field.count,
        }));
        (self.height, self.width) = (cloud.height, cloud.width);
        (self.point_step, self.row_step) = (cloud.point_step, cloud.row_step);
        (self.is_bigendian, self.is_dense) = (cloud.is_bigendian, cloud.is_dense);
        self.data.clear();
        self.data.extend_from_slice(cloud.data);
        Ok(())
    }

    /// Does one step: reads the cloud as the steps before left it, and changes a copy.
    pub fn step(
        &mut self,
        change: impl FnOnce(&PointCloudView<'_>, &PointCloud2<'_>, &mut Changes<'_>) -> Result<(), SensorError>,
    ) -> Result<(), SensorError> {
        let mut next = std::mem::take(&mut self.next);
        let mut removed = std::mem::take(&mut self.removed);
        next.clear();
        next.extend_from_slice(&self.data);
        removed.clear();
        let result = self.changed(&mut next, &mut removed, change);
        if result.is_ok() {
            std::mem::swap(&mut self.data, &mut next);
            self.settle(&removed);
        }
        self.next = next;
        self.removed = removed;
        result
    }

    fn changed(
        &self,
        data: &mut Vec<u8>,
        removed: &mut Vec<bool>,
        change: impl FnOnce(&PointCloudView<'_>, &PointCloud2<'_>, &mut Changes<'_>) -> Result<(), SensorError>,
    ) -> Result<(), SensorError> {
        let cloud = self.message();
        let view = PointCloudView::new(&cloud)?;
        removed.resize(view.len(), false);
        let xyz = match ["x", "y", "z"].map(|name| view.field(name).map(|field| field.writer())) {
            [Some(x), Some(y), Some(z)] => Some([x, y, z]),
            _ => None,
        };
        change(&view, &cloud, &mut Changes { data, removed, xyz })
    }

    /// Takes the removed points out.
    fn settle(&mut self, removed: &[bool]) {
        if !removed.contains(&true) {
            return;
        }
        if self.height > 1 {
            self.blank(removed);
            return;
        }
        let step = self.point_step as usize;
        let mut kept = 0;
        for (i, _) in removed.iter().enumerate().filter(|(_, removed)| !**removed) {
            self.data.copy_within(i * step..(i + 1) * step, kept * step);
            kept += 1;
        }
        self.data.truncate(kept * step);
        self.width = kept as u32;
        self.row_step = (kept * step) as u32;
    }

    /// Makes removed points of an organised cloud no returns: NaN, or the origin where the cloud counts in
    /// integers.
    fn blank(&mut self, removed: &[bool]) {
        let mut data = std::mem::take(&mut self.data);
        let writers = {
            let cloud = PointCloud2 { data: &data, ..self.message() };
            PointCloudView::new(&cloud).ok().map(|view| {
                let fields = ["x", "y", "z"].map(|name| view.field(name));
                let is_float = fields.iter().flatten().all(FieldReader::is_float);
                (fields.map(|field| field.map(|field| field.writer())), is_float)
            })
        };
        if let Some((fields, is_float)) = writers {
            let nothing = if is_float { f64::NAN } else { 0.0 };
            for (i, _) in removed.iter().enumerate().filter(|(_, removed)| **removed) {
                fields.iter().flatten().for_each(|field| field.write(&mut data, i, nothing));
            }
            self.is_dense &= !is_float;
        }
        self.data = data;
    }

    /// The cloud as it is now.
    pub fn message(&self) -> PointCloud2<'_> {
        let field = |field| {
            let Field { name, offset, datatype, count }: &Field = field;
            PointField { name, offset: *offset, datatype: *datatype, count: *count }
        };
        PointCloud2 {
            header: Header { stamp: self.stamp, frame_id: &self.frame_id },
            height: self.height,
            width: self.width,
            fields: self.fields.iter().map(field).collect::<SmallVec<_>>(),
            is_bigendian: self.is_bigendian,
            point_step: self.point_step,
            row_step: self.row_step,
            data: &self.data,
            is_dense: self.is_dense,
        }
    }

    /// The serialized message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        to_cdr(&self.message(), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::from_cdr;
    use crate::sim::corrupt::test_cloud::{CloudOptions, cloud_bytes};

    fn edited(options: CloudOptions, change: impl FnOnce(&mut Changes<'_>)) -> (Vec<u8>, Vec<u8>) {
        let positions: Vec<[f32; 3]> = (0..12).map(|i| [i as f32 + 1.0, 2.0, 3.0]).collect();
        let before = cloud_bytes(&positions, &[0.5; 12], options);
        let mut edit = CloudEdit::default();
        edit.load(&from_cdr(&before).unwrap()).unwrap();
        let step = |changes: &mut Changes<'_>| {
            change(changes);
            Ok(())
        };
        edit.step(|_, _, changes| step(changes)).unwrap();
        let mut after = Vec::new();
        edit.encode(&mut after);
        (before, after)
    }

    #[test]
    fn nothing_changed_is_every_byte_as_before() {
        for options in CloudOptions::all() {
            let (before, after) = edited(options, |_| ());
            assert_eq!(before, after, "{options:?}");
        }
    }

    #[test]
    fn only_what_is_moved_becomes_different() {
        for options in CloudOptions::all() {
            let (before, after) = edited(options, |changes| changes.move_to(5, [-1.0, -2.0, -3.0]));
            let (before, after): (PointCloud2<'_>, PointCloud2<'_>) =
                (from_cdr(&before).unwrap(), from_cdr(&after).unwrap());
            assert_eq!(PointCloud2 { data: before.data, ..after.clone() }, before);
            let (old, new) = (PointCloudView::new(&before).unwrap(), PointCloudView::new(&after).unwrap());
            for i in (0..12).filter(|i| *i != 5) {
                assert_eq!(
                    (old.xyz(i), old.field("ring").unwrap().f64(i)),
                    (new.xyz(i), new.field("ring").unwrap().f64(i))
                );
            }
            assert_eq!(new.xyz(5), [-1.0, -2.0, -3.0]);
        }
    }

    #[test]
    fn unordered_clouds_shrink_and_organised_ones_get_holes() {
        for options in CloudOptions::all() {
            let (_, after) =
                edited(options, |changes| [0, 7, 11, 99].into_iter().for_each(|i| changes.remove(i)));
            let after: PointCloud2<'_> = from_cdr(&after).unwrap();
            let view = PointCloudView::new(&after).unwrap();
            let lines: Vec<f64> = (0..view.len()).map(|i| view.field("ring").unwrap().f64(i)).collect();
            if options.rows > 1 {
                assert_eq!((view.len(), lines.len(), after.is_dense), (12, 12, false));
                assert!(view.xyz(7)[0].is_nan() && view.xyz(6)[0] == 7.0);
            } else {
                assert_eq!((after.width, after.data.len()), (9, 9 * after.point_step as usize));
                assert_eq!((view.xyz(0)[0], view.xyz(8)[0]), (2.0, 11.0));
            }
        }
    }
}
