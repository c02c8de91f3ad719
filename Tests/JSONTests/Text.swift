import JSON

// Short ways from text to values and back, for all suites.

extension JSON {
  /// Parses the UTF-8 bytes of a text.
  init(parsing text: String, maximumDepth: Int = 10_000) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
  }

  /// The value as text.
  func text(_ format: JSONFormat = .compact) -> String {
    String(decoding: encoded(format), as: UTF8.self)
  }
}

/// Returns the error of a document, or nil if it is well-formed.
func parseError(of bytes: [UInt8], maximumDepth: Int = 10_000) -> JSONError? {
  do throws(JSONError) {
    _ = try JSON(parsing: bytes, maximumDepth: maximumDepth)
    return nil
  } catch {
    return error
  }
}

/// Returns the error of a text, or nil if it is well-formed.
func parseError(of text: String) -> JSONError? {
  parseError(of: Array(text.utf8))
}

/// The bytes of a text, which Swift's `==` on strings would compare too kindly.
func bytes(_ text: String?) -> [UInt8]? {
  text.map { Array($0.utf8) }
}

/// Documents of the kind the plugins meet, for round trips and mutation.
enum Sample {
  static let config = """
    {
      "cniVersion": "1.0.0", "name": "web", "type": "bridge", "isGateway": true, "mtu": 1500,
      "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/16", "rangeStart": "10.1.1.20"}], [{"subnet": "fd00::/64", "gateway": null}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "192.168.0.0/16", "gw": "10.1.0.1", "priority": 4294967295}]
      },
      "x-vendor": {"seed": 12345678901234567890, "ratio": -1.50e+10, "empty": {}, "none": []}
    }
    """

  static let result = #"""
    {"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.1.2.3/16","interface":0}],"dns":{"search":["a.\u00e9"],
    "options":["\ud83d\ude00","\/\b\f\n\r\t\"\\","naïve ſ K 漢 😀"]},"code":-0,"flags":[true,false,null,[[[]]]]}
    """#

  static let scalars = #"[0, -1, 0.5, 1e9, 1E-2, "", "\u0000", true, false, null, {"": {"a": 1, "a": 2}}]"#

  static let all = [config, result, scalars]
}
