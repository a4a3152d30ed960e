//! Active cells as a LiDAR finds them.

/// Cells along each side of the grid.
pub const SIDE: usize = 256;

/// Percent of the cells that are active.
pub const OCCUPANCIES: [usize; 6] = [2, 4, 6, 12, 25, 100];

/// Row and column of the active cells: walls of random length and direction, two cells thick, as a LiDAR sees a hall.
pub fn walls(percent: usize) -> Vec<i32> {
    let mut state = 42_u64;
    let mut random = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    let wanted = SIDE * SIDE * percent / 100;
    let mut is_active = vec![percent == 100; SIDE * SIDE];
    let mut count = if percent == 100 { wanted } else { 0 };
    while count < wanted {
        let (row, column) = (random(SIDE) as f32, random(SIDE) as f32);
        let (sin, cos) = (random(360) as f32).to_radians().sin_cos();
        for step in 0..10 + random(40) {
            let (row, column) = ((row + sin * step as f32) as usize, (column + cos * step as f32) as usize);
            for (row, column) in [(row, column), (row + 1, column)] {
                if row < SIDE && column < SIDE && count < wanted && !is_active[row * SIDE + column] {
                    is_active[row * SIDE + column] = true;
                    count += 1;
                }
            }
        }
    }
    let active = (0..SIDE * SIDE).filter(|cell| is_active[*cell]);
    active.flat_map(|cell| [(cell / SIDE) as i32, (cell % SIDE) as i32]).collect()
}
