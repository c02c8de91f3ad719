/// The style sheet of a page.
enum PageStyle {
  static let text = """
    :root{color-scheme:light;\(properties(.light))}
    @media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;\(properties(.dark))}}
    :root[data-theme=dark]{color-scheme:dark;\(properties(.dark))}
    \(layout)
    \(signs)
    """

  /// The palette, and the signs in its colours.
  private static func properties(_ palette: Palette) -> String {
    let images = CellDrawing.all.map { sign in
      let elements = sign.elements { fill, stroke in
        let filling = fill.map { "fill='\(palette.text($0))'" } ?? "fill='none'"
        return filling + (stroke.map { " stroke='\(palette.text($0))'" } ?? "")
      }
      let picture = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'>\(elements)</svg>"
      let escaped = picture.map { $0 == "<" ? "%3C" : $0 == ">" ? "%3E" : $0 == "#" ? "%23" : String($0) }.joined()
      return "--i-\(sign.identifier):url(\"data:image/svg+xml,\(escaped)\")"
    }
    return palette.declarations + ";" + images.joined(separator: ";")
  }

  private static var signs: String {
    CellDrawing.all.map { ".\($0.identifier){background-image:var(--i-\($0.identifier))}" }.joined()
  }

  private static let layout = """
    *{box-sizing:border-box}
    html{scroll-padding:1rem 0 6rem}
    body{margin:0 auto;padding:1.25rem clamp(.75rem,2vw,2rem);max-width:96rem;background:var(--page);color:var(--ink);
      font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    h1{font-size:1.35rem;margin:0}
    h2{font-size:1.1rem;margin:0;overflow-wrap:anywhere}
    h3{font-size:.95rem;margin:0 0 .5rem;font-weight:600;overflow-wrap:anywhere}
    p{margin:.15rem 0 0}
    .soft{color:var(--soft);font-size:.87rem}
    .card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.15rem}
    .note{border-left:4px solid var(--borrowed);padding:.3rem .75rem;margin:.9rem 0;font-size:.9rem}
    header{display:flex;flex-wrap:wrap;gap:.75rem 1.5rem;align-items:flex-end;margin-bottom:1rem}
    header>div{flex:1 1 16rem;min-width:0;overflow-wrap:anywhere}
    #search{flex:0 1 22rem;display:flex;flex-direction:column}
    label{font-size:.87rem;margin-bottom:.25rem}
    input,button{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--control);border-radius:8px;
      padding:.4rem .7rem;min-height:2.4rem}
    button{cursor:pointer}
    #dark{display:flex;align-items:center;gap:.5rem}
    .knob{width:2.1rem;height:1.2rem;border:2px solid var(--control);border-radius:1rem;position:relative;flex:none}
    .knob::after{content:"";position:absolute;top:2px;left:2px;width:.75rem;height:.75rem;border-radius:50%;
      background:var(--soft)}
    [aria-checked=true] .knob::after{left:auto;right:2px;background:var(--ink)}
    :focus-visible{outline:3px solid var(--focus);outline-offset:2px}
    #hits{margin-bottom:.75rem}
    #hits:has(#found:empty){display:none}
    #found{font-weight:600}
    #results{list-style:none;margin:.5rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.4rem;max-height:11rem;
      overflow:auto;scrollbar-gutter:stable}
    #results:empty{display:none}
    #results button{min-height:2rem;padding:.2rem .6rem;font-size:.87rem;text-align:left;overflow-wrap:anywhere}
    .columns{display:grid;grid-template-columns:minmax(0,1fr);gap:1rem;align-items:start}
    main{display:grid;gap:1rem;min-width:0;grid-template-columns:minmax(0,1fr);container-type:inline-size}
    aside{min-width:0;padding-bottom:5.5rem}
    .legend{list-style:none;margin:.9rem 0;padding:0;display:grid;gap:.55rem 1.25rem;
      grid-template-columns:repeat(auto-fill,minmax(15.5rem,1fr))}
    .legend li{display:flex;gap:.55rem;font-size:.9rem;line-height:1.3}
    .legend .c{flex:none;margin-top:-1px}
    .legend .soft{font-size:.8rem}
    .c{display:block;width:var(--cell,20px);height:var(--cell,20px);background:no-repeat center/100% 100%;
      forced-color-adjust:none}
    .grid [role=row]{display:flex;flex-wrap:wrap;align-items:center;max-width:320px}
    .grid [role=rowheader]{flex:0 0 100%;font:.74rem/1.7 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;
      color:var(--soft)}
    .grid [role=gridcell]{cursor:pointer;border-radius:3px}
    .grid [role=gridcell]:hover{outline:2px solid var(--control);outline-offset:-1px}
    .grid [role=gridcell].hit{outline:2px solid var(--focus);outline-offset:-1px}
    .grid [role=gridcell][aria-selected=true]{outline:2px solid var(--ink);outline-offset:1px}
    .grid [role=gridcell]:focus-visible{outline:3px solid var(--focus);outline-offset:1px;position:relative;z-index:1}
    #blocks{display:grid;gap:1rem}
    #inspector{position:fixed;z-index:2;left:0;right:0;bottom:0;margin:0;border-radius:0;border-width:2px 0 0;
      border-color:var(--control);overflow-wrap:anywhere;max-height:5rem;overflow:auto}
    @media (min-width:34rem){
      .grid [role=row]{flex-wrap:nowrap;max-width:none}
      .grid [role=rowheader]{flex:0 0 var(--label,7.2rem);white-space:nowrap}
      .grid.long [role=row]{flex-wrap:wrap}
      .grid.long [role=rowheader]{flex-basis:100%}
      .map.n32{--cell:clamp(9px,calc((100cqw - 2.5rem - var(--label))/32),20px)}
      .map.n64{--cell:clamp(6px,calc((100cqw - 2.5rem - var(--label))/64),16px)}
      .w16{--label:7.2rem}.w24{--label:10.8rem}.w32{--label:14.4rem}.w40{--label:18rem}
    }
    @media (min-width:76rem){
      .columns{grid-template-columns:minmax(0,1fr) 31rem}
      aside{position:sticky;top:1rem;max-height:calc(100vh - 2rem);overflow:auto;padding:3px}
      #inspector{position:sticky;top:-3px;max-height:none;border:1px solid var(--control);border-radius:10px;
        margin-bottom:1rem;min-height:4.6rem}
    }
    """
}

extension Palette {
  /// The colour that a sign's part is drawn in.
  fileprivate func text(_ ink: CellDrawing.Ink) -> String {
    switch ink {
    case .use(let use): self[use].text
    case .gap: card.text
    }
  }
}
