//! The quantities that a seed draws from the ranges of a scene file.

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::sim::{Random, Range};

/// The stream of each quantity's value.
const SETTINGS: u64 = 0x5345_5454;

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Racks, pallets, forklifts, people.
    Warehouse,
    /// Machines, pipes, tanks, a crane, a glossy floor.
    Hall,
    /// Walls, doors, glass, desks.
    Corridor,
    /// Vehicles, containers and a fence around buildings.
    Yard,
    /// A street with traffic between facades.
    Street,
    /// Hilly ground with rocks, bushes and rubble.
    Field,
    /// A mesh file.
    Mesh,
}

/// A number that the seed draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Along the robot's first heading, metres.
    Length,
    /// Across, metres.
    Width,
    /// Of the ceiling or the facades, metres.
    Height,
    /// People on foot.
    People,
    /// Moving vehicles: forklifts indoors; cars, lorries, buses, bicycles outdoors.
    Vehicles,
    /// Parked vehicles.
    Parked,
    /// Pallets on the ground.
    Pallets,
    /// How much lies about, 1 is ordinary.
    Clutter,
    /// Steepest slope of the ground, degrees.
    SlopeDeg,
    /// Time of day, 0..24 h: 12 is noon, before 6 and after 18 it is night.
    Hour,
    /// How bright lamps are, 1 is ordinary.
    Lamps,
    /// Light lost a metre, 1/m.
    HazePerM,
    /// Of the robot, m/s.
    RobotSpeed,
}

/// Every [`Quantity`] in the order of its values.
const ALL: [Quantity; 13] = [
    Quantity::Length,
    Quantity::Width,
    Quantity::Height,
    Quantity::People,
    Quantity::Vehicles,
    Quantity::Parked,
    Quantity::Pallets,
    Quantity::Clutter,
    Quantity::SlopeDeg,
    Quantity::Hour,
    Quantity::Lamps,
    Quantity::HazePerM,
    Quantity::RobotSpeed,
];

impl Quantity {
    /// Its key in a scene file.
    pub fn key(self) -> &'static str {
        match self {
            Self::Length => "length_m",
            Self::Width => "width_m",
            Self::Height => "height_m",
            Self::People => "people",
            Self::Vehicles => "vehicles",
            Self::Parked => "parked",
            Self::Pallets => "pallets",
            Self::Clutter => "clutter",
            Self::SlopeDeg => "slope_deg",
            Self::Hour => "hour",
            Self::Lamps => "lamps",
            Self::HazePerM => "haze_per_m",
            Self::RobotSpeed => "robot_speed_mps",
        }
    }

    /// What a scene can be built with.
    fn limits(self) -> Range {
        match self {
            Self::Length => Range::new(20.0, 400.0),
            Self::Width => Range::new(1.6, 200.0),
            Self::Height => Range::new(2.2, 60.0),
            Self::People | Self::Vehicles | Self::Parked | Self::Pallets => Range::new(0.0, 200.0),
            Self::Clutter | Self::Lamps => Range::new(0.0, 5.0),
            Self::SlopeDeg => Range::new(0.0, 20.0),
            Self::Hour => Range::new(0.0, 24.0),
            Self::HazePerM => Range::new(0.0, 1.0),
            Self::RobotSpeed => Range::new(0.05, 15.0),
        }
    }
}

impl Layout {
    /// The quantities that make a difference here, with the ranges of a file that is silent about them.
    pub fn ranges(self) -> &'static [(Quantity, [f32; 2])] {
        use Quantity as Q;
        match self {
            Self::Warehouse => &[
                (Q::Length, [44.0, 70.0]),
                (Q::Width, [24.0, 40.0]),
                (Q::Height, [7.0, 11.0]),
                (Q::People, [6.0, 12.0]),
                (Q::Vehicles, [2.0, 5.0]),
                (Q::Pallets, [25.0, 50.0]),
                (Q::Clutter, [0.5, 1.5]),
                (Q::Lamps, [0.4, 1.5]),
                (Q::HazePerM, [0.0, 0.003]),
                (Q::RobotSpeed, [0.4, 1.5]),
            ],
            Self::Hall => &[
                (Q::Length, [44.0, 70.0]),
                (Q::Width, [24.0, 40.0]),
                (Q::Height, [8.0, 13.0]),
                (Q::People, [7.0, 14.0]),
                (Q::Vehicles, [1.0, 4.0]),
                (Q::Pallets, [25.0, 50.0]),
                (Q::Clutter, [0.5, 1.5]),
                (Q::Lamps, [0.4, 1.5]),
                (Q::HazePerM, [0.0, 0.006]),
                (Q::RobotSpeed, [0.4, 1.5]),
            ],
            Self::Corridor => &[
                (Q::Length, [36.0, 60.0]),
                (Q::Width, [2.3, 3.4]),
                (Q::Height, [2.4, 3.2]),
                (Q::People, [12.0, 20.0]),
                (Q::Pallets, [5.0, 10.0]),
                (Q::Clutter, [0.5, 1.5]),
                (Q::Lamps, [0.4, 1.5]),
                (Q::HazePerM, [0.0, 0.001]),
                (Q::RobotSpeed, [0.3, 1.2]),
            ],
            Self::Yard => &[
                (Q::Length, [70.0, 110.0]),
                (Q::Width, [50.0, 80.0]),
                (Q::Height, [6.0, 12.0]),
                (Q::People, [6.0, 12.0]),
                (Q::Vehicles, [2.0, 5.0]),
                (Q::Parked, [18.0, 36.0]),
                (Q::Pallets, [20.0, 45.0]),
                (Q::Clutter, [0.5, 1.5]),
                (Q::SlopeDeg, [0.0, 2.0]),
                (Q::Hour, [6.0, 19.0]),
                (Q::Lamps, [0.4, 1.5]),
                (Q::HazePerM, [0.0001, 0.004]),
                (Q::RobotSpeed, [0.5, 3.0]),
            ],
            Self::Street => &[
                (Q::Length, [260.0, 340.0]),
                (Q::Width, [7.0, 11.0]),
                (Q::Height, [7.0, 18.0]),
                (Q::People, [12.0, 26.0]),
                (Q::Vehicles, [6.0, 14.0]),
                (Q::Parked, [24.0, 60.0]),
                (Q::Clutter, [0.5, 1.5]),
                (Q::SlopeDeg, [0.0, 3.0]),
                (Q::Hour, [6.0, 19.5]),
                (Q::Lamps, [0.4, 1.5]),
                (Q::HazePerM, [0.0001, 0.004]),
                (Q::RobotSpeed, [1.0, 8.0]),
            ],
            Self::Field => &[
                (Q::Length, [120.0, 180.0]),
                (Q::People, [6.0, 12.0]),
                (Q::Vehicles, [0.0, 2.0]),
                (Q::Parked, [2.0, 5.0]),
                (Q::Clutter, [0.5, 1.5]),
                (Q::SlopeDeg, [5.0, 14.0]),
                (Q::Hour, [6.0, 19.0]),
                (Q::HazePerM, [0.0001, 0.006]),
                (Q::RobotSpeed, [0.5, 2.5]),
            ],
            Self::Mesh => &[(Q::Hour, [9.0, 16.0]), (Q::HazePerM, [0.0, 0.001]), (Q::RobotSpeed, [0.4, 1.2])],
        }
    }
}

/// The ranges of a scene: those of the file, else those of the layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    values: [Option<Range>; ALL.len()],
}

impl Ranges {
    /// Puts the file's ranges over the layout's. Gives the first that does not fit, and why.
    pub fn new<'a>(
        layout: Layout,
        given: &[(Quantity, &'a Option<Spanned<Range>>)],
    ) -> Result<Self, (&'a Spanned<Range>, Quantity, String)> {
        let known = layout.ranges();
        let mut values = [None; ALL.len()];
        for &(quantity, [low, high]) in known {
            values[quantity as usize] = Some(Range::new(low, high));
        }
        for &(quantity, range) in given {
            let Some(range) = range else { continue };
            let Range { low, high } = quantity.limits();
            if values[quantity as usize].is_none() {
                let keys: Vec<&str> = known.iter().map(|(quantity, _)| quantity.key()).collect();
                let message = format!("expected a key of this layout ({}), found this one", keys.join(", "));
                return Err((range, quantity, message));
            }
            if range.value.low < low || range.value.high > high {
                let found = if range.value.low < low { range.value.low } else { range.value.high };
                let message = format!("expected numbers from {low} to {high}, found {found}");
                return Err((range, quantity, message));
            }
            values[quantity as usize] = Some(range.value);
        }
        Ok(Self { values })
    }

    /// The values of a seed.
    pub fn draw(&self, seed: u64) -> Settings {
        let value = |quantity: Quantity| {
            let range = self.values[quantity as usize]?;
            let mut random = Random::new(seed, &[SETTINGS, quantity as u64]);
            Some(match quantity {
                Quantity::People | Quantity::Vehicles | Quantity::Parked | Quantity::Pallets => {
                    range.draw_count(&mut random) as f32
                }
                _ => range.draw(&mut random),
            })
        };
        Settings { values: ALL.map(|quantity| value(quantity).unwrap_or(0.0)) }
    }
}

/// What a seed drew.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    values: [f32; ALL.len()],
}

impl Settings {
    /// The value of a quantity; 0 where the layout has none.
    pub fn get(&self, quantity: Quantity) -> f32 {
        self.values[quantity as usize]
    }

    /// A count.
    pub fn count(&self, quantity: Quantity) -> usize {
        self.get(quantity) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_range_and_differ_by_seed() {
        for layout in [Layout::Warehouse, Layout::Street, Layout::Mesh] {
            let ranges = Ranges::new(layout, &[]).unwrap();
            assert_ne!(ranges.draw(1), ranges.draw(2));
            for settings in (0..100).map(|seed| ranges.draw(seed)) {
                for &(quantity, [low, high]) in layout.ranges() {
                    assert!((low..=high).contains(&settings.get(quantity)), "{quantity:?}");
                }
            }
        }
    }

    #[test]
    fn defaults_are_within_the_limits() {
        use Layout::{Corridor, Field, Hall, Mesh, Street, Warehouse, Yard};
        for layout in [Warehouse, Hall, Corridor, Yard, Street, Field, Mesh] {
            for &(quantity, [low, high]) in layout.ranges() {
                let limits = quantity.limits();
                let fits = limits.low <= low && low <= high && high <= limits.high;
                assert!(fits, "{layout:?} {quantity:?}");
            }
        }
    }
}
