//! OCI images from file trees: what they are made of, how they are written, read and checked.
//!
//! The crate knows nothing of packages and opens no sockets. It refuses input that two readers would understand
//! differently, and everything that it writes is the same on every machine.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//!
//! use distil_imgcore::{
//!     Compression, Entry, EntryKind, ImageBuilder, ImagePath, Index, LayerWriter, Memory, Metadata, Origin, Store,
//! };
//!
//! let mut writer = LayerWriter::new(Vec::new(), Compression::ZSTD, Origin::new("greeting"), None)?;
//! let path = ImagePath::from_absolute(b"/etc/motd")?;
//! writer.add(Entry { path, kind: EntryKind::File { size: 6 }, meta: Metadata::root(0o644, 0) }, &mut &b"hello\n"[..])?;
//! let (layer, _) = writer.finish(|bytes| Ok(Arc::new(bytes)))?;
//!
//! let image = ImageBuilder::new("linux/amd64".parse()?, 0).layer(layer).finish()?;
//! let index = Index::new(vec![image], &BTreeMap::new())?;
//! let store = Memory::new();
//! let root = index.write_to(&store, &mut |_| {})?;
//! store.tag(Some(&"latest".parse()?), &root)?;
//! assert_eq!(root.digest(), index.digest());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | what | where |
//! |---|---|
//! | values | [`Digest`], [`DiffId`], [`MediaType`], [`Platform`], [`Reference`], [`ImagePath`], [`Descriptor`] |
//! | file trees | [`Entry`], [`FileTree`], [`tree::merge`] |
//! | archives | [`tar`], [`compression`] |
//! | layers | [`Packing`], [`chunked`], [`Fragment`], [`Composition`], [`LayerWriter`], [`Layer`] |
//! | documents | [`Manifest`], [`IndexDocument`], [`Config`], [`statement`]; [`json`], [`pieces`], [`Visible`], [`ForHtml`] |
//! | images | [`ImageBuilder`], [`Image`], [`Index`] |
//! | about images | [`Artifact`], [`Attestation`], [`Attachment`] |
//! | places | [`Store`]: [`Layout`], [`Archive`], [`DockerArchive`], [`Memory`]; [`Graph`] and [`copy_graph`] between them |
//! | checks | [`validate`] |

mod archive;
pub mod artifact;
mod attachment;
pub mod attestation;
mod base64;
mod builder;
mod checkpoint;
pub mod chunked;
mod compose;
pub mod compression;
pub mod config;
pub mod content;
mod copy;
pub mod descriptor;
pub mod digest;
mod dir;
mod docker_archive;
mod docker_archive_writer;
pub mod document;
pub mod entry;
pub mod error;
mod escape;
mod formatter;
mod fragment;
mod fragment_files;
mod fragment_stored;
mod fragment_writer;
mod image;
pub mod index;
pub mod json;
mod layer;
mod layout;
mod layout_birth;
mod layout_saved;
mod listing;
mod lock;
pub mod manifest;
pub mod media_type;
mod memory;
mod packing;
mod part_decoder;
pub mod path;
pub mod pieces;
pub mod platform;
mod press;
mod ref_name;
pub mod reference;
mod registry_name;
mod running;
mod settings;
pub mod statement;
pub mod store;
pub mod tar;
mod tar_file;
mod temp;
pub mod time;
pub mod tree;
pub mod validate;

pub use archive::{Archive, ArchiveWriter};
pub use artifact::{Artifact, Blob};
pub use attachment::{Attachment, AttachmentKind};
pub use attestation::{Attestation, MAX_STATEMENT, PREDICATE_TYPE};
pub use builder::ImageBuilder;
pub use checkpoint::Checkpoint;
pub use compose::{Composition, LayerSums};
pub use compression::{Codec, Compression};
pub use config::Config;
pub use content::Content;
pub use copy::{Attached, Graph, Progress, Referrers, copy_graph};
pub use descriptor::{Descriptor, DescriptorError};
pub use digest::{DiffId, Digest, DigestError, Hasher};
pub use docker_archive::DockerArchive;
pub use docker_archive_writer::DockerArchiveWriter;
pub use document::{Document, DocumentError};
pub use entry::{Entry, EntryKind, Metadata};
pub use error::Error;
pub use escape::Escaped;
pub use formatter::{ForHtml, Visible};
pub use fragment::Fragment;
pub use fragment_writer::{FragmentIndex, FragmentWriter};
pub use image::{Image, Index};
pub use index::IndexDocument;
pub use layer::{Layer, LayerWriter};
pub use layout::Layout;
pub use manifest::Manifest;
pub use media_type::{MediaKind, MediaType};
pub use memory::Memory;
pub use packing::{Packing, PackingError};
pub use path::{ImagePath, PathError};
pub use platform::{Platform, PlatformError};
pub use press::Press;
pub use ref_name::{RefName, RefNameError};
pub use reference::{PathReference, Reference, ReferenceError, ReferenceFault};
pub use registry_name::RegistryName;
pub use settings::Settings;
pub use store::{Selector, Store};
pub use tree::{FileTree, Node, Origin};
