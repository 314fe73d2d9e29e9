//! Embeds the consoles' browser files: ours, and those that npm fetched if they are there.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// The name under which a file is served, and where it is below `consoles/`.
const FILES: [(&str, &str); 10] = [
    ("console.css", "pages/console.css"),
    ("desk.css", "pages/desk.css"),
    ("icon.svg", "pages/icon.svg"),
    ("wallet.css", "pages/wallet.css"),
    ("wallet.js", "pages/wallet.js"),
    (
        "inter-cyrillic.woff2",
        "node_modules/@fontsource-variable/inter/files/inter-cyrillic-wght-normal.woff2",
    ),
    ("htmx.js", "node_modules/htmx.org/dist/htmx.min.js"),
    ("sse.js", "node_modules/htmx.org/dist/ext/hx-sse.min.js"),
    (
        "inter-latin.woff2",
        "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    ),
    (
        "inter-latin-ext.woff2",
        "node_modules/@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    ),
];

fn main() {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let consoles = manifest.join("../../consoles");
    let mut table = String::from("/// Names and contents.\nstatic FILES: &[(&str, &[u8])] = &[\n");
    for (name, place) in FILES {
        let path = consoles.join(place);
        watch(&path);
        if let Ok(whole) = fs::canonicalize(&path) {
            let whole = whole.to_str().expect("the checkout has a path of readable characters");
            writeln!(table, "    ({name:?}, include_bytes!({whole:?})),")
                .expect("writing to a string cannot fail");
        }
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("assets.rs"), table).expect("the build folder can be written");
}

/// Builds again when the file comes, changes or goes. Of an absent file its nearest folder is
/// watched, because cargo takes an absent path for changed each time.
fn watch(path: &Path) {
    let there = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path);
    println!("cargo::rerun-if-changed={}", there.display());
}
