//! What things look like to a camera, a LiDAR and a radar: one family a file.
//!
//! In: the scene's materials and random numbers. Out: a mesh in the object's frame, its origin on the
//! ground in the middle, x forward. No two are alike: proportions, colours and extras are drawn.

mod bicycle;
mod bus;
mod car;
mod clutter;
mod facade;
mod forklift;
mod furniture;
mod lorry;
mod machine;
mod pallet;
mod parts;
mod person;
mod rack;
mod roadside;
mod rubble;
mod storage;
mod tree;

pub(super) use bicycle::{STRIDE_M as CYCLE_STRIDE_M, cyclist, parked_bicycle};
pub(super) use bus::bus;
pub(super) use car::car;
pub(super) use clutter::{indoor_clutter, outdoor_clutter};
pub(super) use facade::facade;
pub(super) use forklift::forklift;
pub(super) use furniture::{cabinet, chair, desk, plant};
pub(super) use lorry::lorry;
pub(super) use machine::{crane, machine, pipes, tank};
pub(super) use pallet::pallet;
pub(super) use parts::{at, block, panel, wall};
pub(super) use person::Person;
pub(super) use rack::{BAY_M, DEPTH_M as RACK_DEPTH_M, floor_goods, rack};
pub(super) use roadside::{bin, bollard, planter, sign, street_lamp};
pub(super) use rubble::{rock, rubble, ruin};
pub(super) use storage::{container, fence};
pub(super) use tree::{bush, tree};
