//! Lens distortion in normalised image coordinates (x/z, y/z), as OpenCV and REP-104 define it.

use nalgebra::{Matrix2, Vector2};
use smallvec::SmallVec;

/// The widest tan(angle from the axis) looked at when a polynomial never folds: 87°.
const MAX_RADIUS: f64 = 20.0;
/// Steps of the search for the fold.
const FOLD_STEPS: u32 = 2000;
/// The least growth of the image per ideal unit; a flatter lens squeezes so many rays into a pixel that
/// rounding alone decides which one it shows.
const FLATTEST: f64 = 1e-4;
/// Newton converges in 3 to 6 steps inside the valid domain.
const MAX_STEPS: usize = 30;
/// Accepted residual, normalised units: a millionth of a pixel at any focal length in use.
const TOLERANCE: f64 = 1e-10;

/// A lens model with its coefficients in the order of `CameraInfo.d`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distortion {
    /// An ideal pinhole.
    None,
    /// `plumb_bob`: k1 k2 p1 p2 k3.
    PlumbBob([f64; 5]),
    /// `rational_polynomial`: k1 k2 p1 p2 k3 k4 k5 k6.
    RationalPolynomial([f64; 8]),
    /// `equidistant` (OpenCV fisheye, Kannala-Brandt): k1 k2 k3 k4, polynomial in the angle.
    Equidistant([f64; 4]),
}

impl Distortion {
    /// `CameraInfo`'s name of the model and its coefficients.
    pub fn to_message(&self) -> (&'static str, SmallVec<[f64; 14]>) {
        match self {
            Self::None => ("plumb_bob", SmallVec::from_slice(&[0.0; 5])),
            Self::PlumbBob(d) => ("plumb_bob", SmallVec::from_slice(d)),
            Self::RationalPolynomial(d) => ("rational_polynomial", SmallVec::from_slice(d)),
            Self::Equidistant(d) => ("equidistant", SmallVec::from_slice(d)),
        }
    }

    /// k1…k6 and p1, p2 of the two polynomial models.
    fn polynomial(&self) -> Option<([f64; 6], [f64; 2])> {
        match *self {
            Self::None | Self::Equidistant(_) => None,
            Self::PlumbBob([k1, k2, p1, p2, k3]) => Some(([k1, k2, k3, 0.0, 0.0, 0.0], [p1, p2])),
            Self::RationalPolynomial([k1, k2, p1, p2, k3, k4, k5, k6]) => {
                Some(([k1, k2, k3, k4, k5, k6], [p1, p2]))
            }
        }
    }

    /// The largest undistorted radius tan(angle) within which no two points share a pixel. Beyond it
    /// the polynomial may fold back.
    pub fn valid_radius(&self) -> f64 {
        match self {
            Self::None => f64::INFINITY,
            Self::Equidistant(k) => {
                // atan keeps every angle below 90°, where the ray stops meeting the plane z = 1.
                let limit = MAX_RADIUS.atan();
                first_fold(limit, |theta| equidistant(k, theta).1 - FLATTEST).tan()
            }
            Self::PlumbBob(_) | Self::RationalPolynomial(_) => {
                let Some((k, [p1, p2])) = self.polynomial() else { return f64::INFINITY };
                // The Jacobian is symmetric, so the map is one to one on a disc where the matrix is
                // positive definite. The radial part has the eigenvalues `gain` (along the circle) and
                // `along`; the tangential part lowers them by at most 6·|p|·r.
                let tangential = 6.0 * p1.hypot(p2);
                first_fold(MAX_RADIUS, |r| {
                    let (gain, slope) = radial(&k, r * r);
                    let along = gain + 2.0 * r * r * slope;
                    gain.min(along) - tangential * r - FLATTEST
                })
            }
        }
    }

    /// Where an ideal point (x/z, y/z) appears, normalised. Meaningful within [`Self::valid_radius`].
    pub fn distort(&self, ideal: Vector2<f64>) -> Vector2<f64> {
        match self {
            Self::None => ideal,
            Self::Equidistant(k) => {
                let r = ideal.norm();
                if r < 1e-12 { ideal } else { ideal * (equidistant(k, r.atan()).0 / r) }
            }
            Self::PlumbBob(_) | Self::RationalPolynomial(_) => match self.polynomial() {
                Some((k, p)) => distort_polynomial(&k, p, ideal).0,
                None => ideal,
            },
        }
    }

    /// The ideal point that appears at `seen`, or `None` when there is none within `valid_radius` or
    /// the iteration does not converge.
    pub fn undistort(&self, seen: Vector2<f64>, valid_radius: f64) -> Option<Vector2<f64>> {
        if !(seen.x.is_finite() && seen.y.is_finite()) {
            return None;
        }
        let radius = seen.norm();
        if matches!(self, Self::None)
            || radius < 1e-12 && !matches!(self, Self::PlumbBob(_) | Self::RationalPolynomial(_))
        {
            return Some(seen);
        }
        if let Self::Equidistant(k) = self {
            let theta = invert_monotone(radius, valid_radius.atan(), |theta| equidistant(k, theta))?;
            return Some(seen * (theta.tan() / radius));
        }
        let (k, p) = self.polynomial()?;
        let at_radius = |r: f64| {
            let (gain, slope) = radial(&k, r * r);
            (r * gain, gain + 2.0 * r * r * slope)
        };
        // The radial part alone has one solution and starts Newton next to the answer.
        let mut ideal = if radius < 1e-12 {
            seen
        } else {
            seen * (invert_monotone(radius.min(at_radius(valid_radius).0), valid_radius, at_radius)? / radius)
        };
        for _ in 0..MAX_STEPS {
            let (value, jacobian) = distort_polynomial(&k, p, ideal);
            let residual = value - seen;
            if residual.norm() < TOLERANCE {
                return (ideal.norm() <= valid_radius).then_some(ideal);
            }
            ideal -= jacobian.try_inverse()? * residual;
            // A step out of the domain may land on the fold's other branch.
            let r = ideal.norm();
            if !r.is_finite() {
                return None;
            }
            if r > valid_radius {
                ideal *= valid_radius / r;
            }
        }
        None
    }
}

/// The radial factor and its derivative by r².
fn radial(k: &[f64; 6], r2: f64) -> (f64, f64) {
    let [k1, k2, k3, k4, k5, k6] = *k;
    let n = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
    let n_slope = k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3);
    let d = 1.0 + r2 * (k4 + r2 * (k5 + r2 * k6));
    let d_slope = k4 + r2 * (2.0 * k5 + r2 * 3.0 * k6);
    if d <= 0.0 { (-1.0, 0.0) } else { (n / d, (n_slope * d - n * d_slope) / (d * d)) }
}

/// The distorted point and its Jacobian.
fn distort_polynomial(k: &[f64; 6], [p1, p2]: [f64; 2], at: Vector2<f64>) -> (Vector2<f64>, Matrix2<f64>) {
    let (x, y) = (at.x, at.y);
    let r2 = x * x + y * y;
    let (gain, slope) = radial(k, r2);
    let value = Vector2::new(
        x * gain + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
        y * gain + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
    );
    let mixed = 2.0 * x * y * slope + 2.0 * p1 * x + 2.0 * p2 * y;
    let jacobian = Matrix2::new(
        gain + 2.0 * x * x * slope + 2.0 * p1 * y + 6.0 * p2 * x,
        mixed,
        mixed,
        gain + 2.0 * y * y * slope + 6.0 * p1 * y + 2.0 * p2 * x,
    );
    (value, jacobian)
}

/// The distorted angle and its derivative.
fn equidistant(k: &[f64; 4], theta: f64) -> (f64, f64) {
    let [k1, k2, k3, k4] = *k;
    let t2 = theta * theta;
    let value = theta * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))));
    let slope = 1.0 + t2 * (3.0 * k1 + t2 * (5.0 * k2 + t2 * (7.0 * k3 + t2 * 9.0 * k4)));
    (value, slope)
}

/// The first place in 0..=limit where `slope` stops being positive, else `limit`.
fn first_fold(limit: f64, slope: impl Fn(f64) -> f64) -> f64 {
    let mut good = 0.0;
    for step in 1..=FOLD_STEPS {
        let here = limit * f64::from(step) / f64::from(FOLD_STEPS);
        if slope(here) > 0.0 {
            good = here;
            continue;
        }
        let mut bad = here;
        for _ in 0..40 {
            let middle = 0.5 * (good + bad);
            if slope(middle) > 0.0 { good = middle } else { bad = middle }
        }
        return good;
    }
    limit
}

/// Solves value(x) = wanted on 0..=limit for a rising function given with its slope: Newton inside a
/// shrinking bracket, halving the bracket where Newton's steps stop shrinking (it can go to and fro about
/// an inflection forever).
fn invert_monotone(wanted: f64, limit: f64, function: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    let (mut low, mut high) = (0.0, limit);
    if wanted > function(limit).0 + TOLERANCE {
        return None;
    }
    let mut x = wanted.min(limit);
    let mut last_step = limit;
    for _ in 0..100 {
        let (value, slope) = function(x);
        let residual = value - wanted;
        if residual.abs() < TOLERANCE * 0.01 || high - low < 1e-15 * limit {
            return Some(x);
        }
        if residual > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = x - residual / slope;
        let shrinks = (newton - x).abs() < 0.5 * last_step;
        let next = if shrinks && newton > low && newton < high { newton } else { 0.5 * (low + high) };
        last_step = (next - x).abs();
        x = next;
    }
    None
}
