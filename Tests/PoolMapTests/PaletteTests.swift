import Testing

@testable import PoolMap

/// Contrast as WCAG 2.2 defines it, and colours as people see them who lack one kind of cones.
extension Colour {
  fileprivate var linear: [Double] {
    [red, green, blue].map { part in
      let value = Double(part) / 255
      return value <= 0.04045 ? value / 12.92 : power((value + 0.055) / 1.055, 2.4)
    }
  }

  fileprivate func contrast(_ other: Colour) -> Double {
    let (one, two) = (Self.luminance(linear), Self.luminance(other.linear))
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)
  }

  private static func luminance(_ parts: [Double]) -> Double {
    0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
  }

  /// The distance in CIELAB after a transformation of the linear parts.
  fileprivate func distance(_ other: Colour, seenBy matrix: [[Double]]) -> Double {
    let (one, two) = (Self.lab(linear, matrix), Self.lab(other.linear, matrix))
    return zip(one, two).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  private static func lab(_ parts: [Double], _ matrix: [[Double]]) -> [Double] {
    let seen = matrix.map { row in min(1, max(0, zip(row, parts).reduce(0) { $0 + $1.0 * $1.1 })) }
    let rows: [[Double]] = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    let white: [Double] = [0.9505, 1, 1.089]
    let values = zip(rows, white).map { row, white in
      let value = zip(row, seen).reduce(0) { $0 + $1.0 * $1.1 } / white
      return value > 0.008856 ? power(value, 1.0 / 3) : 7.787 * value + 16.0 / 116
    }
    return [116 * values[1] - 16, 500 * (values[0] - values[1]), 200 * (values[1] - values[2])]
  }
}

/// A power of a positive number below or equal to one, by halving; no mathematics of the platform is needed for colours.
private func power(_ base: Double, _ exponent: Double) -> Double {
  guard base > 0 else { return 0 }
  // base^exponent with the exponent in binary digits behind the point: roots of the base, multiplied.
  var (result, root, rest) = (1.0, base, exponent)
  while rest >= 1 { (result, rest) = (result * base, rest - 1) }
  for _ in 0..<50 {
    root = root.squareRoot()
    rest *= 2
    if rest >= 1 { (result, rest) = (result * root, rest - 1) }
  }
  return result
}

@Suite("Colours")
struct PaletteTests {
  /// Machado, Oliveira and Fernandes (2009), severity 1.
  private static let sights: [(name: String, matrix: [[Double]])] = [
    ("all", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    (
      "protanopia",
      [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    (
      "deuteranopia",
      [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    (
      "tritanopia",
      [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
  ]

  @Test("of text stand out by 4.5:1, those of signs, controls and the focus by 3:1", arguments: [Palette.light, .dark])
  func contrast(_ palette: Palette) {
    for ground in [palette.page, palette.card] {
      for text in [palette.ink, palette.soft] {
        #expect(text.contrast(ground) >= 4.5, "\(text.text) on \(ground.text)")
      }
      for part in AddressUse.allCases.map({ palette[$0] }) + [palette.control, palette.focus] {
        #expect(part.contrast(ground) >= 3, "\(part.text) on \(ground.text)")
      }
    }
  }

  @Test("of uses that fill cells or stand beside them are told apart with every kind of sight")
  func sights() {
    // What is neither given out nor held is drawn in greys.
    let uses = [AddressUse.affine, .used, .borrowed, .cooling]
    for palette in [Palette.light, .dark] {
      for (name, matrix) in Self.sights {
        for (index, one) in uses.enumerated() {
          for other in uses[(index + 1)...] {
            let distance = palette[one].distance(palette[other], seenBy: matrix)
            #expect(distance > 10, "\(one) and \(other) with \(name) sight: \(distance)")
          }
        }
      }
    }
  }

  @Test("of terminals can be read on black and on white")
  func terminal() {
    for use in AddressUse.allCases {
      let colour = Self.xterm(Palette.terminal(use))
      for ground in [Colour(0), Colour(0xFFFFFF)] { #expect(colour.contrast(ground) >= 3, "\(use)") }
    }
  }

  /// The colours of xterm from 16 on: a cube of 6 steps, then greys.
  private static func xterm(_ number: UInt8) -> Colour {
    let index = UInt32(number) - 16
    if index >= 216 {
      let grey = 8 + 10 * (index - 216)
      return Colour(grey << 16 | grey << 8 | grey)
    }
    let parts = [index / 36, index / 6 % 6, index % 6].map { $0 == 0 ? 0 : 55 + 40 * $0 }
    return Colour(parts[0] << 16 | parts[1] << 8 | parts[2])
  }

  @Test("are written as style sheets have them")
  func text() {
    #expect(Colour(0x0072B2).text == "#0072b2")
    #expect(Palette.light.declarations.contains("--used:#0072b2"))
  }
}
