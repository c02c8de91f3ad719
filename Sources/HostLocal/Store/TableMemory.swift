import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A block of zeroed or mapped memory, given back at the end of its life.
struct TableMemory: ~Copyable {
  let base: UnsafeMutableRawPointer
  let size: Int
  /// Whether the memory is a file's, so that what is stored reaches the next process.
  let isShared: Bool

  /// Zeroed memory of this process alone.
  init(allocating size: Int) {
    base = .allocate(byteCount: size, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    self.size = size
    isShared = false
  }

  /// Maps a whole file for reading and writing; nil when the kernel refuses.
  init?(mapping file: borrowing FileDescriptor, size: Int) {
    guard size > 0, let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0),
      mapped != MAP_FAILED
    else { return nil }
    base = mapped
    self.size = size
    isShared = true
  }

  deinit {
    if isShared { munmap(base, size) } else { base.deallocate() }
  }

  /// Reads a value at a place that lies within the memory and is aligned for it.
  func load<Value: BitwiseCopyable>(_ place: Int, as type: Value.Type) -> Value {
    base.load(fromByteOffset: place, as: type)
  }

  /// Writes a value at a place that lies within the memory and is aligned for it.
  func store(_ place: Int, _ value: some BitwiseCopyable) {
    base.storeBytes(of: value, toByteOffset: place, as: Swift.type(of: value))
  }
}
