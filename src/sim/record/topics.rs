//! The topics of a simulated recording.

use crate::bag::{BagWriter, OfferedQos, TopicId};
use crate::message::{CameraInfo, Clock, Detection3DArray, Image, Message, Odometry, PointCloud2, TFMessage};
use crate::sim::SimulationError;

/// Where each kind of message goes.
pub(super) struct Topics {
    pub image: TopicId,
    pub camera_info: TopicId,
    pub depth_truth: TopicId,
    pub lidar: TopicId,
    pub detection_truth: TopicId,
    pub radars: Vec<TopicId>,
    pub tf: TopicId,
    pub tf_static: TopicId,
    pub odometry: TopicId,
    pub clock: TopicId,
}

impl Topics {
    pub fn add(writer: &mut BagWriter, radars: usize) -> Result<Self, SimulationError> {
        let (sensor, reliable) = (OfferedQos::sensor_data(), OfferedQos::reliable(10));
        Ok(Self {
            image: add::<Image<'_>>(writer, "/image", &sensor)?,
            camera_info: add::<CameraInfo<'_>>(writer, "/camera_info", &sensor)?,
            depth_truth: add::<Image<'_>>(writer, "/truth/depth", &reliable)?,
            lidar: add::<PointCloud2<'_>>(writer, "/lidar/points", &sensor)?,
            detection_truth: add::<Detection3DArray<'_>>(writer, "/truth/detections", &reliable)?,
            radars: (0..radars)
                .map(|index| add::<PointCloud2<'_>>(writer, &format!("/radar_{index}/points"), &sensor))
                .collect::<Result<_, _>>()?,
            tf: add::<TFMessage<'_>>(writer, "/tf", &OfferedQos::reliable(100))?,
            tf_static: add::<TFMessage<'_>>(writer, "/tf_static", &OfferedQos::latched(1))?,
            odometry: add::<Odometry<'_>>(writer, "/odom", &reliable)?,
            clock: add::<Clock>(writer, "/clock", &sensor)?,
        })
    }
}

fn add<'a, M: Message<'a>>(
    writer: &mut BagWriter,
    name: &str,
    qos: &OfferedQos,
) -> Result<TopicId, SimulationError> {
    let qos = std::slice::from_ref(qos);
    Ok(writer.add_topic(name, M::TYPE_NAME, Some(M::TYPE_HASH), M::DEFINITION, qos)?)
}
