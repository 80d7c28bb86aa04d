//! Prints the path of the protobuf compiler that the crate protoc-bin-vendored brings along.

fn main() -> Result<(), protoc_bin_vendored::Error> {
    println!("{}", protoc_bin_vendored::protoc_bin_path()?.display());
    Ok(())
}
