//! Which files a run sends: those that are named, those in a folder that is named, or a synthetic one.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::generate::write_csv;
use crate::input::InputError;

/// What synthetic files are called; those that lie in a folder are no user's data.
const SYNTHETIC: &str = "synthetic-";

/// A synthetic file that is made where there is no other.
#[derive(Clone, Debug)]
pub struct Synthetic {
    pub rows: u64,
    pub seed: u64,
    /// Where it is kept: a run that was killed goes on in the same file.
    pub folder: PathBuf,
}

/// The files as they are sent. A folder stands for the .csv and .csv.gz files in it, by name.
pub fn files(named: &[PathBuf], synthetic: Option<&Synthetic>) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for path in named {
        match path.is_dir() {
            true => files.extend(in_folder(path)?),
            false => files.push(path.clone()),
        }
    }
    match (synthetic, named.first()) {
        (Some(synthetic), _) if files.is_empty() => {
            let file = synthetic.kept()?;
            tracing::info!(
                rows = synthetic.rows,
                "no data file{}: {} synthetic rows are sent, {}",
                named.first().map(|folder| format!(" in {}", folder.display())).unwrap_or_default(),
                synthetic.rows,
                file.display()
            );
            files.push(file);
        }
        (None, Some(folder)) if files.is_empty() => return Err(InputError::NoFileIn(folder.clone())),
        (Some(_) | None, _) => {}
    }
    Ok(files)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, InputError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::PermissionDenied => InputError::NoPermission(folder.to_owned()),
        _ => InputError::Read { name: folder.display().to_string(), rows: 0, source },
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_data = name.ends_with(".csv") || name.ends_with(".csv.gz");
        if is_data && !name.starts_with(SYNTHETIC) && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Synthetic {
    /// The file, made where it is missing.
    pub fn kept(&self) -> Result<PathBuf, InputError> {
        let file = self.folder.join(format!("{SYNTHETIC}{}-{}.csv", self.rows, self.seed));
        if file.exists() {
            return Ok(file);
        }
        let failed = |source| InputError::Synthetic { file: file.clone(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        // A name of its own until it is whole: a run that was killed leaves no half file under the final name.
        let partial = file.with_extension("csv.partial");
        let mut out = BufWriter::new(fs::File::create(&partial).map_err(failed)?);
        write_csv(self.seed, self.rows, &mut out).map_err(failed)?;
        out.flush().map_err(failed)?;
        fs::rename(&partial, &file).map_err(failed)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn names(files: &[PathBuf]) -> Vec<String> {
        files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_stands_for_its_files_and_a_synthetic_one_for_none() {
        let (folder, kept) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let synthetic = Synthetic { rows: 10, seed: 3, folder: kept.path().join("new") };
        let named = [folder.path().to_owned()];
        let given = || files(&named, Some(&synthetic)).unwrap();
        for name in ["synthetic-80000-1.csv", "notes.txt"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(names(&given()), ["synthetic-10-3.csv"]);
        let first = fs::read(&given()[0]).unwrap();
        assert_eq!(first.iter().filter(|byte| **byte == b'\n').count(), 11);
        assert!(matches!(files(&named, None), Err(InputError::NoFileIn(_))));
        for name in ["b.CSV", "a.csv.gz"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(names(&given()), ["a.csv.gz", "b.CSV"]);
    }

    #[test]
    fn a_file_that_is_named_is_not_replaced() {
        let synthetic = Synthetic { rows: 10, seed: 3, folder: "/dev/null".into() };
        let named = [PathBuf::from("absent.csv")];
        assert_eq!(files(&named, Some(&synthetic)).unwrap(), named);
        assert!(matches!(files(&[], Some(&synthetic)), Err(InputError::Synthetic { .. })));
        assert_eq!(files(&[], None).unwrap(), [] as [PathBuf; 0]);
    }
}
