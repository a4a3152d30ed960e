//! Where the waves at a peak of the spectrum come from.

use super::cells::{Cell, Key};
use super::spectrum::{Wave, square};

/// Half a resolution off, the beam has lost half of its power.
const HALF_OFF: f32 = 0.5;

/// What comes from one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Complex amplitude, in units of the noise's.
    pub field: [f32; 2],
    /// Sums over the power of its waves.
    pub sources: Cell,
}

/// Finds directions among the waves at a peak, the strongest first: waves that the antennas do not tell apart
/// are one. `waves` are used up.
pub(super) struct Directions<'a> {
    /// Share of the amplitude, and the wave.
    pub waves: Vec<(f32, Wave<'a>)>,
}

impl Directions<'_> {
    /// The strongest direction that is left.
    pub fn next_strongest(&mut self) -> Option<Arrival> {
        let power = |&(share, wave): &(f32, Wave<'_>)| share * share * square(wave.field);
        let (_, strongest) = self.waves.iter().copied().max_by(|a, b| power(a).total_cmp(&power(b)))?;
        let middle = strongest.cell.key;
        let mut arrival = Arrival { field: [0.0; 2], sources: Cell::empty(middle) };
        self.waves.retain(|&(share, wave)| {
            let Some(lobe) = lobe(middle, wave.cell.key) else { return true };
            let share = share * lobe.sqrt();
            arrival.field.iter_mut().zip(wave.field).for_each(|(sum, field)| *sum += share * field);
            // What happens to be bright in this frame draws the measured place to itself.
            let brightness = square(wave.field) / wave.cell.power.max(f32::MIN_POSITIVE);
            arrival.sources.add(wave.cell, share * share * brightness);
            false
        });
        Some(arrival)
    }
}

/// The share of power that a beam at a cell's angles takes up from another; `None` for those it tells apart.
fn lobe(middle: Key, other: Key) -> Option<f32> {
    let ([a, e], [b, f]) = (middle.angles(), other.angles());
    let (across, up) = ((a - b).abs(), (e - f).abs());
    (across <= 1 && up <= 1).then(|| HALF_OFF.powi(across + up))
}
