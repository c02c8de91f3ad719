public import CalicoModel
import IPAddressing
import Terminal

/// Pools' maps as one HTML page that needs nothing but itself.
///
/// It names the address, the node and the pod of what the pointer or the keyboard is at, and searches for them. Its
/// policy (Content Security Policy, level 3) admits no script, style or picture but its own, and no connection, so that
/// what the datastore holds stays text whatever it is.
public struct PageDrawing {
  /// What a page has at most, in bytes, as far as names of pods make it large: further names are left out, and the page
  /// says so.
  public static let standardSize = 1_900_000

  private let pools: [MappedPool]
  private let source: String
  private let time: Timestamp
  private let size: Int

  /// A page.
  ///
  /// - Parameters:
  ///   - pools: what is drawn.
  ///   - source: what the datastore is called.
  ///   - time: when it was read.
  ///   - size: how large the page may be, in bytes.
  public init(_ pools: [MappedPool], source: String, time: Timestamp, size: Int = standardSize) {
    self.pools = pools
    self.source = source
    self.time = time
    self.size = size
  }

  /// The document.
  public var text: String {
    let style = PageStyle.text
    let script = PageScript.text
    let sections = pools.enumerated().map { PageSection($1, number: $0).text }.joined()
    let data = PageData(pools, room: size - style.utf8.count - script.utf8.count - sections.utf8.count - 4096)
    let names = pools.map { PrintableText.of($0.name) }.joined(separator: ", ")
    let policy = [
      "default-src 'none'", "style-src '\(SourceHash.of(style))'", "script-src '\(SourceHash.of(script))'",
      "img-src data:", "base-uri 'none'", "form-action 'none'",
    ].joined(separator: "; ")
    var note = ""
    if data.omitted > 0 {
      note =
        "<p class=\"note\">To keep this page small, who has \(NumberText.count(UInt128(data.omitted))) of the "
        + "addresses is left out. Draw one pool, or one block, to see all names.</p>\n"
    }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="\(policy)">
      <title>Map of IP pools: \(MarkupText.of(MarkupText.shortened(names, to: 120)))</title>
      <style>\(style)</style>
      </head>
      <body>
      <header>
      <div><h1>Map of IP pools</h1>
      <p class="soft">\(MarkupText.of(source)), as it was at \(time)</p></div>
      <form role="search" id="search">
      <label for="query">Find a pod, a node or an address</label>
      <input id="query" type="search" autocomplete="off" spellcheck="false" aria-describedby="found">
      </form>
      <button type="button" id="dark" role="switch" aria-checked="false"><span class="knob"></span>Dark colours</button>
      </header>
      <noscript><p class="note">Addresses, search and the keyboard need JavaScript; the map of blocks does not.</p>\
      </noscript>
      \(note)<div id="hits"><p id="found" role="status"></p><ul id="results" aria-label="Found"></ul></div>
      <div class="columns">
      <main>
      \(sections)<p id="keys" class="soft">Arrow keys lead from cell to cell, Home and End to the ends of a row. Enter \
      opens a block beside the map, Tab leads into it, and Escape back.</p>
      </main>
      <aside aria-label="What is pointed at, and the addresses of a block">
      <p id="inspector" class="card">Point at a cell to see what it is.</p>
      <div id="blocks"></div>
      </aside>
      </div>
      <script type="application/json" id="data">\(data.text)</script>
      <script>\(script)</script>
      </body>
      </html>

      """
  }
}
