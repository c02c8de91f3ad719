import JSON

/// What a block records of the owner of one or more of its addresses (Calico IPAM specification, section 1.6.1).
///
/// A value keeps the text it was read from and is written back as it was, members unknown here included. Only what
/// decisions need is taken out at once; the maps are read when they are asked for.
public struct AllocationAttribute: Sendable {
  /// The object's text.
  let text: ArraySlice<UInt8>
  /// The handle that owns the addresses; nil is not the same as an empty one.
  public let handleID: String?
  /// When the addresses were given back; they cool down until they are free again. Whole seconds.
  public let releasedAt: Timestamp?
  /// Whether there are members that this version does not know: such an object is neither shared nor merged.
  public let hasUnknownMembers: Bool
  /// Whether the owner has attributes.
  public let hasOwnerAttributes: Bool

  /// The attribute of an address in use.
  ///
  /// - Parameters:
  ///   - handleID: the handle, nil for none.
  ///   - owner: attributes of the active owner.
  ///   - alternateOwner: attributes of a second owner, during live migration.
  public init(handleID: String?, owner: [String: String] = [:], alternateOwner: [String: String] = [:]) {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.literal("{")
    var separator: StaticString = ""
    if let handleID {
      writer.literal("\"handle_id\":")
      writer.string(handleID)
      separator = ","
    }
    if !owner.isEmpty {
      writer.literal(separator)
      writer.literal("\"secondary\":")
      writer.strings(owner)
      separator = ","
    }
    if !alternateOwner.isEmpty {
      writer.literal(separator)
      writer.literal("\"alternateOwnerAttrs\":")
      writer.strings(alternateOwner)
    }
    writer.literal("}")
    self.text = writer.bytes[...]
    self.handleID = handleID
    self.releasedAt = nil
    self.hasUnknownMembers = false
    self.hasOwnerAttributes = !owner.isEmpty
  }

  /// The attribute of addresses that cool down.
  public init(releasedAt: Timestamp) {
    var writer = JSONWriter()
    writer.literal("{\"releasedAt\":")
    writer.string(releasedAt.description)
    writer.literal("}")
    self.text = writer.bytes[...]
    self.handleID = nil
    // As it will be read: a value must equal what becomes of it in the store.
    self.releasedAt = releasedAt.truncated
    self.hasUnknownMembers = false
    self.hasOwnerAttributes = false
  }

  /// Reads an object at a reader's position in a document.
  init(from reader: inout JSONReader, of document: [UInt8]) throws(JSONError) {
    var handleID: String?
    var releasedAt: Timestamp?
    var hasUnknownMembers = false
    var hasOwnerAttributes = false
    try reader.beginObject()
    let start = reader.offset - 1
    while let key = try reader.nextKey() {
      if key.is("handle_id") {
        handleID = try reader.readNull() ? nil : try reader.readString()
      } else if key.is("secondary") {
        hasOwnerAttributes = try reader.skipStrings()
      } else if key.is("alternateOwnerAttrs") {
        _ = try reader.skipStrings()
      } else if key.is("releasedAt") {
        if try reader.readNull() { continue }
        releasedAt = Timestamp(try reader.readString())
        // A time that is none here says something that is not understood.
        if releasedAt == nil { hasUnknownMembers = true }
      } else {
        hasUnknownMembers = true
        try reader.skipValue()
      }
    }
    self.text = document[start..<reader.offset]
    self.handleID = handleID
    self.releasedAt = releasedAt
    self.hasUnknownMembers = hasUnknownMembers
    self.hasOwnerAttributes = hasOwnerAttributes
  }

  /// The handle without what an old migration appended behind a carriage return (section 2.11).
  public var sanitizedHandleID: String? { handleID.map(Self.sanitized) }

  /// A handle without what an old migration appended behind a carriage return (section 2.11).
  public static func sanitized(_ handleID: String) -> String {
    guard handleID.utf8.contains(UInt8(ascii: "\r")) else { return handleID }
    return String(decoding: handleID.utf8.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
  }

  /// Whether the ordinals were reserved when the block was made for a Windows host (section 2.5).
  public var isWindowsReservation: Bool { handleID?.lowercased() == Self.windowsReservedHandle }

  /// The handle of ordinals that Windows keeps for itself.
  public static let windowsReservedHandle = "windows-reserved-ipam-handle"

  /// The attributes of the active owner.
  public var owner: [String: String] { strings("secondary") }

  /// One attribute of the active owner; nil when there is none of that name.
  public func ownerAttribute(_ name: StaticString) -> String? {
    // The text was checked when it was read.
    let value = try? text.withUnsafeBufferPointer { bytes throws(JSONError) -> String? in
      var reader = JSONReader(UnsafeRawBufferPointer(bytes))
      var value: String?
      try reader.readMembers { (key, reader) throws(JSONError) in
        guard key.is("secondary") else {
          try reader.skipValue()
          return
        }
        try reader.readMembers { (key, reader) throws(JSONError) in
          if key.is(name) { value = try reader.readString() } else { try reader.skipValue() }
        }
      }
      return value
    }
    return value ?? nil
  }

  /// Whether nothing is recorded of an owner, and no release either: an address that is in use may have such an attribute.
  public var isBlank: Bool {
    (handleID ?? "").isEmpty && releasedAt == nil && !hasOwnerAttributes && !hasUnknownMembers && alternateOwner.isEmpty
  }

  /// The attributes of the second owner.
  public var alternateOwner: [String: String] { strings("alternateOwnerAttrs") }

  private func strings(_ member: StaticString) -> [String: String] {
    // The text was checked when it was read.
    let strings = try? JSONReader.read(Array(text)) { reader throws(JSONError) in
      try Self.strings(member, &reader)
    }
    return strings ?? [:]
  }

  private static func strings(_ member: StaticString, _ reader: inout JSONReader) throws(JSONError) -> [String: String]
  {
    var strings: [String: String] = [:]
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is(member) { strings = try reader.readStrings() } else { try reader.skipValue() }
    }
    return strings
  }
}

extension AllocationAttribute: Hashable {
  /// Equal when they say the same, however it is written.
  public static func == (left: Self, right: Self) -> Bool {
    if left.text == right.text { return true }
    guard left.handleID == right.handleID, left.releasedAt == right.releasedAt,
      !left.hasUnknownMembers, !right.hasUnknownMembers
    else { return false }
    return left.owner == right.owner && left.alternateOwner == right.alternateOwner
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(handleID)
    hasher.combine(releasedAt)
  }
}
