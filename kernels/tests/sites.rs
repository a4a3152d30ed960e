//! Tables of sites against searching all of them.

#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod support;

use std::collections::BTreeSet;

use isobath_kernels::{MAX_CELLS, Serial, SiteTables};
use proptest::prelude::*;
use support::{Random, Threads};

/// A grid: rows, columns, levels, and whether coarser sites are active around finer ones.
type Shape = (usize, usize, usize, bool);

fn of((rows, columns, levels, dilated): Shape) -> SiteTables {
    SiteTables::new(rows, columns, levels).unwrap().dilated(dilated)
}

/// The sites of each level: the cells of which one child is a site of the level below; dilated, one of the cells that
/// the convolution of stride 2 reads.
fn pyramid(coords: &[i32], (mut rows, mut columns, levels, dilated): Shape) -> Vec<Vec<[i32; 2]>> {
    let mut all = vec![coords.as_chunks::<2>().0.to_vec()];
    let children = if dilated { -1..=1 } else { 0..=1 };
    for _ in 1..levels {
        let below: BTreeSet<_> = all[all.len() - 1].iter().copied().collect();
        (rows, columns) = (rows.div_ceil(2), columns.div_ceil(2));
        let cells = (0..rows as i32).flat_map(|r| (0..columns as i32).map(move |c| [r, c]));
        let is_active = |[r, c]: &[i32; 2]| {
            let child = |dr: i32| children.clone().any(|dc| below.contains(&[2 * r + dr, 2 * c + dc]));
            children.clone().any(child)
        };
        all.push(cells.filter(is_active).collect());
    }
    all
}

/// The 3 x 3 table of `sites` times `scale` into `below`, by search.
fn searched(sites: &[[i32; 2]], below: &[[i32; 2]], scale: i32) -> Vec<i32> {
    let offsets = (-1..2).flat_map(|dr| (-1..2).map(move |dc| [dr, dc]));
    let find = |[r, c]: [i32; 2], [dr, dc]: [i32; 2]| {
        let wanted = [r * scale + dr, c * scale + dc];
        below.iter().position(|site| *site == wanted).map_or(-1, |at| at as i32)
    };
    sites.iter().flat_map(|site| offsets.clone().map(|offset| find(*site, offset))).collect()
}

/// Compares everything `tables` tells of `coords` with the search, for both ways to share the work.
fn check(tables: &mut SiteTables, shape: Shape, coords: &[i32]) {
    tables.build(coords).unwrap();
    let levels = pyramid(coords, shape);
    for (level, sites) in levels.iter().enumerate() {
        assert_eq!(tables.sites(level), sites);
        assert_eq!(tables.count(level), sites.len());
        let mut table = vec![7; sites.len() * 9];
        tables.near(level, &mut table, &Serial).unwrap();
        assert_eq!(table, searched(sites, sites, 1), "near {level}");
        table.fill(7);
        tables.near(level, &mut table, &Threads(2)).unwrap();
        assert_eq!(table, searched(sites, sites, 1), "near {level} with two threads");
        let Some(below) = level.checked_sub(1).map(|below| &levels[below]) else { continue };
        tables.down(level, &mut table, &Threads(2)).unwrap();
        assert_eq!(table, searched(sites, below, 2), "down {level}");
        let parents: Vec<_> = tables.parents(level).iter().map(|parent| sites[*parent as usize]).collect();
        let expected: Vec<_> = below.iter().map(|[r, c]| [r / 2, c / 2]).collect();
        assert_eq!(parents, expected, "parents {level}");
    }
}

#[test]
fn one_site_in_each_corner_of_an_odd_grid_has_no_neighbour_beyond_the_border() {
    for shape in [(7, 5, 4, false), (7, 5, 4, true)] {
        let mut tables = of(shape);
        for site in [[0, 0], [0, 4], [6, 0], [6, 4], [3, 2]] {
            check(&mut tables, shape, &site);
        }
        check(&mut tables, shape, &[0, 0, 0, 4, 3, 2, 6, 0, 6, 4]);
    }
}

#[test]
fn what_lies_apart_meets_on_a_coarser_level_where_it_is_dilated() {
    // Neither is in the window of the other, nor is one of their parents in that of the other's.
    let coords = [3, 3, 3, 8];
    for (dilated, expected) in
        [(false, vec![[1, 1], [1, 4]]), (true, vec![[1, 1], [1, 2], [1, 4], [2, 1], [2, 2], [2, 4]])]
    {
        let mut tables = of((10, 10, 3, dilated));
        tables.build(&coords).unwrap();
        assert_eq!(tables.sites(1), expected);
        let mut near = vec![0; tables.count(2) * 9];
        tables.near(2, &mut near, &Serial).unwrap();
        let find = |cell| tables.sites(2).iter().position(|site| *site == cell).unwrap();
        let (left, right) = (find([0, 0]), find([0, 2]) as i32);
        assert!(!near[left * 9..][..9].contains(&right));
        assert_eq!(near[left * 9..][..9].iter().filter(|entry| **entry >= 0).count() > 1, dilated);
    }
}

#[test]
fn no_site_and_all_sites() {
    for (rows, columns, levels) in [(1, 1, 1), (1, 9, 3), (9, 1, 3), (8, 8, 4), (13, 11, 5)] {
        for shape in [(rows, columns, levels, false), (rows, columns, levels, true)] {
            let mut tables = of(shape);
            check(&mut tables, shape, &[]);
            check(&mut tables, shape, &Random(1).sites(rows, columns, 1000));
            check(&mut tables, shape, &[]);
        }
    }
}

#[test]
fn many_sites_are_shared_in_chunks() {
    // More sites than one piece of work has; the search would take too long, the rule for a full grid does not.
    let (rows, columns) = (70, 80);
    let mut tables = SiteTables::new(rows, columns, 2).unwrap();
    tables.build(&Random(1).sites(rows, columns, 1000)).unwrap();
    let mut table = vec![0; rows * columns * 9];
    tables.near(0, &mut table, &Threads(3)).unwrap();
    for (number, entries) in table.chunks_exact(9).enumerate() {
        let (row, column) = ((number / columns) as i32, (number % columns) as i32);
        for (entry, found) in entries.iter().enumerate() {
            let (r, c) = (row + entry as i32 / 3 - 1, column + entry as i32 % 3 - 1);
            let inside = (0..rows as i32).contains(&r) && (0..columns as i32).contains(&c);
            assert_eq!(*found, if inside { r * columns as i32 + c } else { -1 });
        }
    }
}

#[test]
fn sites_that_break_the_rules_are_named_and_leave_no_trace() {
    let mut tables = SiteTables::new(6, 4, 2).unwrap();
    for (coords, expected) in [
        (&[0, 0, 6, 0][..], "coords: expected sites within 6 x 4, found [6, 0] as site 1"),
        (&[0, 4], "coords: expected sites within 6 x 4, found [0, 4] as site 0"),
        (&[-1, 0], "coords: expected sites within 6 x 4, found [-1, 0] as site 0"),
        (&[0, i32::MIN], "coords: expected sites within 6 x 4, found [0, -2147483648] as site 0"),
        (
            &[1, 1, 1, 1],
            "coords: expected unique sites in row-major order, found [1, 1] as site 1 after [1, 1]",
        ),
        (
            &[1, 1, 0, 2],
            "coords: expected unique sites in row-major order, found [0, 2] as site 1 after [1, 1]",
        ),
        (&[1, 1, 2], "coords: expected rows and columns in pairs, found 3"),
    ] {
        assert_eq!(tables.build(coords).unwrap_err().to_string(), expected);
        assert_eq!((tables.count(0), tables.count(1)), (0, 0));
        check(&mut tables, (6, 4, 2, false), &[0, 1, 5, 3]);
    }
    assert!(tables.near(0, &mut [0; 9], &Serial).is_err(), "a table of another size");
    assert!(tables.down(0, &mut [], &Serial).is_err(), "nothing is below the finest level");
}

#[test]
fn grids_have_a_bound() {
    let big = MAX_CELLS + 1;
    for (rows, columns, levels) in
        [(0, 4, 1), (4, 0, 1), (4, 4, 0), (4, 4, 17), (1, big, 1), (usize::MAX, 2, 1)]
    {
        assert!(SiteTables::new(rows, columns, levels).is_err(), "{rows} x {columns}, {levels}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn patterns_one_after_the_other(
        rows in 1_usize..24,
        columns in 1_usize..24,
        levels in 1_usize..6,
        dilated: bool,
        seed: u64,
        shares in prop::collection::vec(0_u64..1000, 1..4),
    ) {
        let shape = (rows, columns, levels, dilated);
        let mut tables = of(shape);
        let mut random = Random(seed);
        for share in shares {
            check(&mut tables, shape, &random.sites(rows, columns, share));
        }
    }
}
