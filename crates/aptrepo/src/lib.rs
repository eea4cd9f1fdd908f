//! Signed apt repositories, from the signature to a verified package.
