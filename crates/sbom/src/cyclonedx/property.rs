//! Names of properties. Some are those of other tools, which read facts from them that `CycloneDX` has no field for.

/// Whether a component can be run, in the [taxonomy] of BSI TR-03183-2.
///
/// [taxonomy]: https://github.com/BSI-Bund/tr-03183-cyclonedx-property-taxonomy
pub(super) const EXECUTABLE: &str = "bsi:component:executable";
pub(super) const ARCHIVE: &str = "bsi:component:archive";
pub(super) const STRUCTURED: &str = "bsi:component:structured";
pub(super) const FILE_NAME: &str = "bsi:component:filename";
/// The taxonomy and the guideline spell it differently.
pub(super) const EFFECTIVE_LICENCE: [&str; 2] = ["bsi:component:effectiveLicence", "bsi:component:effectiveLicense"];

/// What Trivy keeps of a package; it matches Debian's advisories by the source package.
pub(super) const TRIVY_PACKAGE_ID: &str = "aquasecurity:trivy:PkgID";
pub(super) const TRIVY_PACKAGE_TYPE: &str = "aquasecurity:trivy:PkgType";
pub(super) const TRIVY_SOURCE_NAME: &str = "aquasecurity:trivy:SrcName";
pub(super) const TRIVY_SOURCE_VERSION: &str = "aquasecurity:trivy:SrcVersion";
pub(super) const TRIVY_SOURCE_RELEASE: &str = "aquasecurity:trivy:SrcRelease";
pub(super) const TRIVY_SOURCE_EPOCH: &str = "aquasecurity:trivy:SrcEpoch";
pub(super) const TRIVY_FILE_PATH: &str = "aquasecurity:trivy:FilePath";
pub(super) const TRIVY_CLASS: &str = "aquasecurity:trivy:Class";
pub(super) const TRIVY_TYPE: &str = "aquasecurity:trivy:Type";
pub(super) const TRIVY_LAYER: &str = "aquasecurity:trivy:LayerDiffID";
pub(super) const TRIVY_DIFF_ID: &str = "aquasecurity:trivy:DiffID";

/// What Syft keeps of a package. Without the type of its metadata it takes a Debian package for one of no kind.
pub(super) const SYFT_FOUND_BY: &str = "syft:package:foundBy";
pub(super) const SYFT_LANGUAGE: &str = "syft:package:language";
pub(super) const SYFT_TYPE: &str = "syft:package:type";
pub(super) const SYFT_METADATA_TYPE: &str = "syft:package:metadataType";
pub(super) const SYFT_SOURCE_NAME: &str = "syft:metadata:source";
pub(super) const SYFT_SOURCE_VERSION: &str = "syft:metadata:sourceVersion";
pub(super) const SYFT_LOCATION: &str = "syft:location:";
pub(super) const SYFT_LAYER: &str = "syft:location:0:layerID";
pub(super) const SYFT_SYSTEM_ID: &str = "syft:distro:id";
pub(super) const SYFT_SYSTEM_VERSION: &str = "syft:distro:versionID";
pub(super) const SYFT_SYSTEM_CODENAME: &str = "syft:distro:versionCodename";
pub(super) const SYFT_SYSTEM_NAME: &str = "syft:distro:prettyName";

/// What nobody else has a name for.
pub(super) const DECLARED: &str = "distil:licence:declared";
pub(super) const REMARK: &str = "distil:licence:remark";
pub(super) const SECTION: &str = "distil:deb:section";
pub(super) const PRIORITY: &str = "distil:deb:priority";
pub(super) const SIZE: &str = "distil:file:size";
pub(super) const PATH: &str = "distil:repository:path";
pub(super) const ORIGIN: &str = "distil:repository:origin";
pub(super) const SUITE: &str = "distil:repository:suite";
pub(super) const BUILT_USING: &str = "distil:deb:builtUsing";
pub(super) const MISSING: &str = "distil:dependency:missing";
pub(super) const OWNER: &str = "distil:file:owner";
pub(super) const CONFFILE: &str = "distil:file:conffile";
pub(super) const PLATFORM: &str = "distil:image:platform";
pub(super) const CREATED: &str = "distil:image:created";
pub(super) const ANNOTATION: &str = "distil:image:annotation:";
pub(super) const LAYER: &str = "distil:layer:";

/// The name of a base image that may not be told.
pub(super) const UNKNOWN: &str = "unknown";
