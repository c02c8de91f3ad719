import CalicoModel
import IPAddressing
import JSON
import Testing

@testable import PoolMap

@Suite("A map as a page")
struct PageTests {
  private func page(_ pools: [MappedPool], size: Int = PageDrawing.standardSize) -> String {
    PageDrawing(pools, source: "/var/lib/x/ipam.db", time: Example.time, size: size).text
  }

  private func data(_ page: String) throws -> JSON {
    let start = try #require(page.range(of: #"<script type="application/json" id="data">"#))
    let end = try #require(page[start.upperBound...].range(of: "</script>"))
    return try JSON(parsing: Array(page[start.upperBound..<end.lowerBound].utf8))
  }

  @Test("has every block with its label, and the addresses as data")
  func contents() throws {
    let text = page([try Example.small()])
    #expect(text.contains(#"aria-label="10.65.0.8/29, node-2: 8 of 8 in use, 2 of them borrowed""#))
    #expect(text.components(of: #"role="gridcell" class="#) == 8)
    #expect(text.contains("<b>borrowed</b> 2 · 3.1 %"))
    let blocks = try #require(data(text).objectValue?["blocks"]?.arrayValue?.first?.arrayValue)
    #expect(blocks.count == 4)
    let fields = try #require(blocks[1].arrayValue)
    #expect(fields[0] == "0a410008")
    #expect(fields[4] == "u6b2")
    #expect(fields[5].arrayValue?.first == "0:0")
    #expect(fields[5].arrayValue?.last == "1@2:1")
    #expect(try data(text).objectValue?["stems"] == ["default/web-7d9f8b6c5-", "default/api-"])
    #expect(try data(text).objectValue?["nodes"] == ["node-1", "node-2", "node-3"])
  }

  @Test("lets one cell of a map be reached by the Tab key, the others by arrows")
  func tabindex() throws {
    let text = page([try Example.picture()])
    #expect(text.components(of: #"tabindex="0" "#) == 1)
    #expect(text.components(of: #"tabindex="-1" "#) == 63)
  }

  @Test("of a /16 whose 65,536 addresses are all pods' has at most two megabytes, and every name")
  func size() throws {
    let text = page([try Example.full()])
    #expect(text.utf8.count < 2_000_000)
    #expect(!text.contains("is left out"))
    let blocks = try #require(data(text).objectValue?["blocks"]?.arrayValue?.first?.arrayValue)
    #expect(blocks.allSatisfy { $0.arrayValue?[5].arrayValue?.count == 64 })
  }

  @Test("leaves names out that would make it larger than it may be, and says so")
  func budget() throws {
    let map = try Example.full()
    let text = page([map], size: 400_000)
    #expect(text.utf8.count < 450_000)
    let left = try #require(text.firstMatch(of: /who has ([0-9,]+) of the addresses is left out/))
    #expect(left.output.1.count >= 5)
  }

  @Test("admits no script, style or connection but its own")
  func policy() throws {
    let text = page([try Example.small()])
    let style = try #require(text.between("<style>", "</style>"))
    let script = try #require(text.between("</script>\n<script>", "</script>"))
    #expect(
      text.contains("default-src 'none'; style-src '\(SourceHash.of(style))'; script-src '\(SourceHash.of(script))'"))
    for mark in [" style=\"", "innerHTML", " onclick", "src=\"http", "href="] {
      #expect(!text.contains(mark), "\(mark)")
    }
    let addresses = text.components(of: "http://") - text.components(of: "http://www.w3.org/2000/svg")
    #expect(addresses == 0)
  }

  @Test("keeps text of the datastore text, wherever it stands")
  func hostile() throws {
    let evil = #"</script><script>alert("1")</script><!--'&\#u{1b}"#
    let pool = try Example.pool("10.65.0.0/26", 29, name: evil)
    var block = IPAMBlock(cidr: try Example.cidr("10.65.0.0/29"), owner: BlockOwner(.host, evil), time: Example.time)
    #expect(block.assign(1, attribute: Example.pod(evil, on: evil)).count == 1)
    #expect(block.assign(1, attribute: Example.pod(evil + "-" + evil, on: "other" + evil)).count == 1)
    let map = try Example.map(pool, [block])
    let text = PageDrawing([map], source: evil, time: Example.time).text
    #expect(text.components(of: "<script") == 2)
    #expect(text.components(of: "</script>") == 2)
    #expect(!text.contains("<!--"))
    #expect(!text.contains("\u{1b}"))
    let members = try #require(data(text).objectValue)
    #expect(members["nodes"]?.arrayValue?.first?.stringValue == evil.replacing("\u{1b}", with: #"\x1b"#))
    let picture = SVGDrawing([map]) { _ in .addresses }.text
    #expect(!picture.contains("<script"))
    #expect(!picture.contains("\u{1b}"))
    #expect(picture.contains("&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"))
  }

  @Test(
    "names its sources by their hashes in base64 (RFC 4648, section 10)",
    arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")])
  func base64(_ text: String, _ encoded: String) {
    #expect(SourceHash.base64(Array(text.utf8)) == encoded)
  }
}

extension String {
  /// How often a text stands in this one.
  func components(of text: String) -> Int { ranges(of: text).count }

  func between(_ start: String, _ end: String) -> String? {
    guard let from = firstRange(of: start), let to = self[from.upperBound...].firstRange(of: end) else { return nil }
    return String(self[from.upperBound..<to.lowerBound])
  }

  fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}

extension Substring {
  fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
