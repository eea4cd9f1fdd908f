//! All that belongs to an image, found before any of it is copied.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::at_once::at_once;
use super::attached::{Attached, Named};
use super::belonging::{As, Belonging};
use super::delivery::{Bytes, Parcel, Rank, deliver};
use super::{Progress, Referrers};
use crate::attachment::Attachment;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, MAX_DESCRIPTORS, MAX_INDEX_DEPTH};
use crate::error::Error;
use crate::media_type::MediaKind;
use crate::ref_name::RefName;
use crate::store::{Selector, Store};

/// Blobs of one image with all its platforms and referrers.
const MAX_BLOBS: usize = 100_000;
/// Bytes of all documents of an image, which are held in memory: some thousands of the largest that are made.
const MAX_DOCUMENTS: usize = 128 << 20;
/// Referrers of referrers: a signature over a statement about an image is two.
const MAX_WAVES: usize = 16;
/// Documents that are asked for at the same time: most of that is waiting for an answer.
const READS_AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

/// An image with all that it names, and all that is about it: its referrers, and what has a name as cosign gives them
/// ([`Attachment`]), and those of these. All documents are read, and no other blob.
///
/// Where something that is about the image is broken, there is no graph: it might be the signature that somebody relies on.
#[derive(Debug)]
pub struct Graph<'a> {
    source: &'a dyn Store,
    nodes: Vec<Node>,
    places: BTreeMap<Key, usize>,
    trees: Vec<Tree>,
    /// Bytes of all documents.
    bytes: AtomicUsize,
}

/// Registries keep blobs apart from documents, and a descriptor with another size means something else or is wrong.
type Key = (Digest, u64, bool);

#[derive(Debug)]
struct Node {
    blob: Descriptor,
    /// Which tree it was found in first.
    tree: usize,
    /// What it names, where it is a document.
    document: Option<(Document, Vec<usize>)>,
}

/// A document with all that it names.
#[derive(Debug)]
struct Tree {
    root: usize,
    /// None for what was asked for.
    belonging: Option<Belonging>,
    /// 0 for what was asked for, then one more than that of what it is about.
    wave: usize,
}

/// What is said about a document.
#[derive(Debug, Default)]
struct Said {
    referrers: Vec<Descriptor>,
    attachments: Vec<(RefName, Descriptor)>,
}

impl<'a> Graph<'a> {
    /// Reads every document that belongs to `root`, and what is about them where that is wanted.
    ///
    /// # Errors
    /// Those of the source; [`Error::About`] around those of what is about the image, and [`Error::TooMany`].
    pub fn read(source: &'a dyn Store, root: &Descriptor, referrers: Referrers) -> Result<Self, Error> {
        let (nodes, places, trees) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut graph = Self { source, nodes, places, trees, bytes: AtomicUsize::new(0) };
        let mut new = vec![(root.clone(), None)];
        for wave in 0.. {
            if wave > MAX_WAVES {
                return Err(graph.too_many("levels of referrers", MAX_WAVES));
            }
            let first = graph.nodes.len();
            let mut roots = Vec::new();
            for (root, belonging) in new {
                let (node, is_new) = graph.node(&root, graph.trees.len())?;
                graph.trees.push(Tree { root: node, belonging, wave });
                if is_new {
                    roots.push(node);
                }
            }
            graph.read_below(roots)?;
            new = match referrers {
                Referrers::Copy => graph.said_since(first)?,
                Referrers::Leave => Vec::new(),
            };
            if new.is_empty() {
                break;
            }
        }
        Ok(graph)
    }

    /// Copies everything that the destination has not yet: blobs first, as many at once as [`Store::puts_at_once`] allows,
    /// then documents, children before those that name them. Nothing is named: that is for the caller to do, what is
    /// [`Graph::attached`] first and the image last.
    ///
    /// A layer that may not be distributed and is not in the source is left out. Where it is said to lie is never looked at.
    ///
    /// # Errors
    /// Those of both stores; [`Error::About`] around those of what is about the image. The destination may hold some blobs
    /// then, but nothing names them.
    pub fn copy_to(
        &self,
        destination: &dyn Store,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<(), Error> {
        deliver(destination, &self.parcels(), progress)
    }

    /// Everything that [`Graph::copy_to`] copies, each blob once, what is named before what names it.
    #[must_use]
    pub fn blobs(&self) -> Vec<&Descriptor> {
        self.parcels().into_iter().map(|parcel| parcel.blob).collect()
    }

    fn too_many(&self, what: &'static str, limit: usize) -> Error {
        Error::TooMany { what, limit, place: self.source.place() }
    }

    /// The place of a blob, and whether it is a new one.
    fn node(&mut self, blob: &Descriptor, tree: usize) -> Result<(usize, bool), Error> {
        let key = (blob.digest().clone(), blob.size(), blob.media_type().is_index_or_manifest());
        if let Some(node) = self.places.get(&key) {
            return Ok((*node, false));
        }
        if self.nodes.len() >= MAX_BLOBS {
            return Err(self.too_many("blobs", MAX_BLOBS));
        }
        let node = self.nodes.len();
        self.places.insert(key, node);
        self.nodes.push(Node { blob: blob.clone(), tree, document: None });
        Ok((node, true))
    }

    fn belonging(&self, tree: usize) -> Option<&Belonging> {
        self.trees.get(tree)?.belonging.as_ref()
    }

    /// Reads these documents and all below them, level by level.
    fn read_below(&mut self, roots: Vec<usize>) -> Result<(), Error> {
        let mut level = roots;
        let mut depth = 0;
        while !level.is_empty() {
            let read = at_once(READS_AT_ONCE, &level, |node, _| {
                self.nodes.get(*node).map(|node| self.document(node, depth)).transpose()
            })?;
            let mut next = Vec::new();
            for (node, document) in level.into_iter().zip(read) {
                let (Some(document), Some(tree)) = (document, self.nodes.get(node).map(|node| node.tree)) else {
                    continue;
                };
                let mut children = Vec::new();
                for child in document.children() {
                    let (at, is_new) = self.node(child, tree)?;
                    children.push(at);
                    if is_new && child.media_type().is_index_or_manifest() {
                        next.push(at);
                    }
                }
                if let Some(node) = self.nodes.get_mut(node) {
                    node.document = Some((document, children));
                }
            }
            level = next;
            depth += 1;
        }
        Ok(())
    }

    fn document(&self, node: &Node, depth: usize) -> Result<Document, Error> {
        let read = || {
            if node.blob.kind() == MediaKind::Index && depth >= MAX_INDEX_DEPTH {
                return Err(self.too_many("levels of indexes", MAX_INDEX_DEPTH));
            }
            let document = self.source.document(&node.blob)?;
            let length = document.bytes().len();
            if self.bytes.fetch_add(length, Ordering::Relaxed) + length > MAX_DOCUMENTS {
                return Err(self.too_many("bytes of documents", MAX_DOCUMENTS));
            }
            if document.children().len() > MAX_DESCRIPTORS {
                return Err(self.too_many("descriptors", MAX_DESCRIPTORS));
            }
            Ok(document)
        };
        read().map_err(|error| match self.belonging(node.tree) {
            Some(belonging) => belonging.explain(error),
            None => error,
        })
    }

    /// What is about the documents that were found from this one on, and is not itself among them.
    fn said_since(&self, first: usize) -> Result<Vec<(Descriptor, Option<Belonging>)>, Error> {
        let subjects: Vec<&Node> = self.nodes.iter().skip(first).filter(|node| node.document.is_some()).collect();
        let said = at_once(READS_AT_ONCE, &subjects, |node, _| self.said_of(node.blob.digest()))?;
        let mut new = Vec::new();
        for (subject, said) in subjects.into_iter().zip(said) {
            let subject = subject.blob.digest();
            for referrer in said.referrers {
                let key = (referrer.digest().clone(), referrer.size(), true);
                // What an index names as well is there with it.
                if !self.places.contains_key(&key) {
                    let as_what = As::Referrer(referrer.digest().clone());
                    new.push((referrer, Some(Belonging { subject: subject.clone(), as_what })));
                }
            }
            for (name, root) in said.attachments {
                new.push((root, Some(Belonging { subject: subject.clone(), as_what: As::Attachment(name) })));
            }
        }
        Ok(new)
    }

    fn said_of(&self, subject: &Digest) -> Result<Said, Error> {
        let mut said = Said { referrers: self.source.referrers(subject)?, ..Said::default() };
        for name in Attachment::names_for(subject) {
            match self.source.resolve(&Selector::Name(name.clone())) {
                Ok(found) => said.attachments.push((name, found)),
                Err(Error::NoImage { .. }) => {}
                Err(error) => {
                    let as_what = As::Attachment(name);
                    return Err(Belonging { subject: subject.clone(), as_what }.explain(error));
                }
            }
        }
        Ok(said)
    }

    /// What has to be made findable beside the image.
    pub fn attached(&self) -> Attached {
        let mut attached = Attached { referrers: Vec::new(), inside: Vec::new(), attachments: Vec::new() };
        // The image itself is named by whoever copies it.
        let mut seen: BTreeSet<usize> = self.trees.first().map(|image| image.root).into_iter().collect();
        for tree in self.trees.iter().filter(|tree| self.is_about(tree)) {
            let (Some(node), Some(belonging)) = (self.nodes.get(tree.root), &tree.belonging) else { continue };
            match &belonging.as_what {
                As::Referrer(_) if seen.insert(tree.root) => attached.referrers.push(node.blob.clone()),
                As::Attachment(name) => {
                    let Some((document, _)) = &node.document else { continue };
                    let (name, belonging, root) = (name.clone(), belonging.clone(), node.blob.clone());
                    attached.attachments.push(Named { name, belonging, root, document: document.clone() });
                }
                As::Referrer(_) => {}
            }
        }
        let is_copied = |node: &Node| self.trees.get(node.tree).is_some_and(|tree| self.is_about(tree));
        let says_about = |node: &Node| node.document.as_ref().is_some_and(|(document, _)| document.subject().is_some());
        let inside = self.nodes.iter().enumerate();
        let inside = inside.filter(|(at, node)| !seen.contains(at) && is_copied(node) && says_about(node));
        attached.inside = inside.map(|(_, node)| node.blob.clone()).collect();
        attached
    }

    /// Whether a document is about what it was found by. Lists of referrers may be written by anybody.
    fn is_about(&self, tree: &Tree) -> bool {
        let Some(Belonging { subject, as_what: As::Referrer(_) }) = &tree.belonging else { return true };
        let document = self.nodes.get(tree.root).and_then(|node| node.document.as_ref());
        document.and_then(|(document, _)| document.subject()).is_some_and(|stated| stated.digest() == subject)
    }

    /// Everything, what is named before what names it.
    fn parcels(&self) -> Vec<Parcel<'_>> {
        let mut heights: BTreeMap<usize, usize> = BTreeMap::new();
        let mut parcels = Vec::with_capacity(self.nodes.len());
        for tree in self.trees.iter().filter(|tree| self.is_about(tree)) {
            let mut path = vec![(tree.root, 0)];
            while let Some((at, next)) = path.pop() {
                let Some(node) = self.nodes.get(at).filter(|_| !heights.contains_key(&at)) else { continue };
                let children = node.document.as_ref().map(|(_, children)| children.as_slice()).unwrap_or_default();
                if let Some(child) = children.get(next) {
                    path.extend([(at, next + 1), (*child, 0)]);
                    continue;
                }
                let below = children.iter().filter_map(|child| heights.get(child)).max();
                let height = below.map_or(0, |below| below + 1);
                heights.insert(at, height);
                parcels.push(self.parcel(node, height));
            }
        }
        parcels
    }

    fn parcel<'n>(&'n self, node: &'n Node, height: usize) -> Parcel<'n> {
        let wave = self.trees.get(node.tree).map_or(0, |tree| tree.wave);
        let (bytes, rank): (_, Option<Rank>) = match &node.document {
            Some((document, _)) => (Bytes::InMemory(document.bytes()), Some((wave, height))),
            // Some may not be passed on, and lie where whoever made the image said. Nobody follows that, so an image is
            // whole without them.
            None if node.blob.kind() == MediaKind::ForeignLayer => (Bytes::Perhaps(self.source), None),
            None => (Bytes::Stored(self.source), None),
        };
        Parcel { blob: &node.blob, bytes, rank, of: self.belonging(node.tree) }
    }
}
