use std::fs;

use super::*;

/// Reads the first of some files that lie in one folder.
fn read_first(files: &[(&str, &str)]) -> Result<MeshFile, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    read(&folder.path().join(files[0].0), 2.0, None)
}

const PLY: &str = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n\
                   property uchar red\nproperty uchar green\nproperty uchar blue\nelement face 1\n\
                   property list uchar int vertex_indices\nend_header\n0 0 0 255 0 0\n1 0 0 255 0 0\n1 1 0 255 0 0\n\
                   0 1 0 0 0 255\n4 0 1 2 3\n";

const OBJ: &str = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 2\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nusemtl wall\n\
                   f 1/1 2/2 3/3 4/4\n";

/// A triangle (0, 0, 0), (1, 0, 0), (0, 1, 0), lifted by a node.
const GLTF: &str = r#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],
    "nodes":[{"mesh":0,"translation":[0,2,0]}],
    "buffers":[{"uri":"data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAAAAAAAAgD8AAAAA","byteLength":36}],
    "bufferViews":[{"buffer":0,"byteLength":36}],
    "accessors":[{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3","min":[0,0,0],"max":[1,1,0]}],
    "materials":[{"name":"wall","pbrMetallicRoughness":{"baseColorFactor":[0.5,0.25,0.125,1]}}],
    "meshes":[{"primitives":[{"attributes":{"POSITION":0},"material":0}]}]}"#;

#[test]
fn ply_faces_are_fans_with_colours() {
    let file = read_first(&[("a.ply", PLY)]).unwrap();
    assert_eq!(file.mesh.triangles, [[0, 1, 2], [0, 2, 3]]);
    assert_eq!(file.mesh.positions[2], Vec3::new(2.0, 2.0, 0.0));
    assert_eq!((file.mesh.colours[0], file.mesh.colours[3]), ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0]));
    assert_eq!(file.surfaces[0].albedo, [1.0; 3]);
}

#[test]
fn obj_has_its_materials_and_coordinates_from_the_top() {
    let file = read_first(&[("a.obj", OBJ), ("a.mtl", "newmtl wall\nKd 1 0 0\nd 0.25\n")]).unwrap();
    assert_eq!(file.mesh.triangles.len(), 2);
    assert_eq!(file.mesh.texture_coordinates[0], [0.0, 1.0]);
    let surface = &file.surfaces[usize::from(file.mesh.materials[0].0)];
    assert_eq!(
        (surface.name.as_str(), surface.albedo, surface.transmission),
        ("wall", [1.0, 0.0, 0.0], 0.75)
    );
}

#[test]
fn gltf_is_turned_upright_by_its_own_axis() {
    let file = read_first(&[("a.gltf", GLTF)]).unwrap();
    // Up by 2 in the file's y, twice as large: z = 4; the file's x is to the right.
    let expected = [Vec3::new(0.0, 0.0, 4.0), Vec3::new(0.0, -2.0, 4.0), Vec3::new(0.0, 0.0, 6.0)];
    for (found, wanted) in file.mesh.positions.iter().zip(expected) {
        assert!(found.distance(wanted) < 1e-5, "{found} {wanted}");
    }
    assert_eq!(file.surfaces[usize::from(file.mesh.materials[0].0)].albedo, [0.5, 0.25, 0.125]);
}

#[test]
fn what_is_wrong_is_said() {
    let cases: [(&[(&str, &str)], &str); 12] = [
        (&[("a.stl", "")], "expected a file that ends with"),
        (&[("a.ply", "plx")], "ply"),
        (&[("a.ply", &PLY.replace("1 1 0 255", "one 1 0 255"))], "Line 15"),
        (
            &[("a.obj", &OBJ.replace("v 1 1 0", "v nan 1 0")), ("a.mtl", "newmtl wall\n")],
            "expected finite positions",
        ),
        (&[("a.ply", &PLY.replace("4 0 1 2 3", "4 0 1 2 9"))], "expected corners below 4, found 9"),
        (&[("a.ply", &PLY.replace("4 0 1 2 3", "2 0 1"))], "expected triangles, found none"),
        (&[("a.ply", &PLY.replace("property float z", "property float w"))], "expected x, y and z"),
        (&[("a.obj", OBJ)], "material library"),
        (&[("a.obj", OBJ), ("a.mtl", "newmtl wall\nmap_Kd no.png\n")], "no.png"),
        (&[("a.obj", &OBJ.replace("f 1/1", "f 9/1"))], "out of bounds"),
        (
            &[("a.gltf", &GLTF.replace("\"count\":3", "\"count\":4"))],
            "accessor 0: expected it within the 36 bytes",
        ),
        (
            &[(
                "a.gltf",
                &GLTF.replace("\"byteLength\":36}],\n    \"acc", "\"byteLength\":99}],\n    \"acc"),
            )],
            "buffer view 0",
        ),
    ];
    for (files, expected) in cases {
        let error = read_first(files).unwrap_err();
        assert!(error.contains(expected), "{files:?}: {error}");
    }
    let image = GLTF.replace("\"materials\"", "\"images\":[{\"uri\":\"wood.png\"}],\"materials\"");
    let error = read_first(&[("a.gltf", &image)]).unwrap_err();
    assert!(error.contains("texture 'wood.png'"), "{error}");
    assert!(read(Path::new("no/such.ply"), 1.0, None).is_err());
}
