//! Builds an image with distil as a library: `distil-example-embed RECIPE DIRECTORY`.
//!
//! The image is written to the layout DIRECTORY under the tag `latest`, and its digest printed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program with no more than a digest to say")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use distil_pipeline::recipe::Recipe;
use distil_pipeline::{BuildRequest, Machine, Silent, What, build};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [recipe, directory] = arguments.as_slice() else {
        eprintln!("usage: distil-example-embed RECIPE DIRECTORY");
        return ExitCode::from(2);
    };
    match run(Path::new(recipe), directory) {
        Ok(digest) => println!("{digest}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(recipe: &Path, directory: &str) -> Result<String, Box<dyn Error>> {
    let text = std::fs::read_to_string(recipe)?;
    #[expect(clippy::disallowed_methods, reason = "this program is the front end, which reads the clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let request = BuildRequest {
        what: What::Recipe {
            recipe: Box::new(Recipe::parse(&text)?),
            variant: None,
            dir: recipe.parent().map_or_else(PathBuf::new, Path::to_owned),
            lock: None,
        },
        platforms: Vec::new(),
        host: "linux/amd64".parse()?,
        outputs: vec![format!("oci:{directory}:latest").parse()?],
        immutable: false,
        epoch: None,
        jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        cache_dir: std::env::temp_dir().join("distil-example-embed"),
        signing: None,
        machine: Machine::new(now.as_secs().try_into()?),
        cancelled: &Arc::default(),
    };
    let built = build(&request, &Silent)?;
    for (platform, warning) in &built.warnings {
        eprintln!("warning: {platform}: {warning}");
    }
    let image = built.images.first().ok_or("nothing was built")?;
    Ok(image.digest.to_string())
}
