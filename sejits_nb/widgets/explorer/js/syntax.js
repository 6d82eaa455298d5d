// Syntax colours: a line becomes [class, text] pairs.  Classes: kw keyword, ty type, nu number,
// st string, co comment, pp preprocessor, magic and annotations, fn what is called or a label.

const syntax = (() => {
  const words = (text) => text.trim().split(/\s+/).join("|");
  const NUMBER = ["nu", String.raw`(?<![\w.])(?:0[xX][\da-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)\w*`];
  const STRING = ["st", String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`];
  const CALL = ["fn", String.raw`\b[A-Za-z_]\w*(?=\()`];
  const C = [
    ["pp", String.raw`^\s*#.*`],
    ["co", String.raw`//.*|/\*.*?(?:\*/|$)`],
    STRING,
    ["kw", String.raw`\b(?:${words(`if else for while do return break continue switch case default
      static inline extern const restrict volatile sizeof struct typedef goto __kernel kernel
      __global __local __private __constant __attribute__`)})\b`],
    ["ty", String.raw`\b(?:void|u?int\d+_t|size_t|ptrdiff_t|uintptr_t|bool|char|short|int|long|` +
      String.raw`unsigned|signed|(?:float|double|u?long|u?int)\d*)\b`],
    NUMBER,
    CALL,
  ];
  const RULES = {
    python: [
      ["pp", String.raw`^\s*(?:%%?\w.*|@[\w.]+)`],
      ["co", "#.*"],
      ["st", String.raw`[rbfRBF]{0,2}(?:"""(?:.*?"""|.*$)|'''(?:.*?'''|.*$)|${STRING[1]})`],
      ["kw", String.raw`\b(?:${words(`and as assert break class continue def del elif else except
        False finally for from global if import in is lambda None nonlocal not or pass raise return
        True try while with yield`)})\b`],
      NUMBER,
      CALL,
    ],
    c: C,
    opencl: C,
    asm: [
      ["fn", String.raw`^\s*[.\w$]+:`],
      ["kw", String.raw`^\s+[a-z][\w.]*`],
      ["ty", String.raw`%\w+|\b(?:[xwvqdsr]\d+|sp)\b`],
      ["nu", String.raw`[$#]?-?\b(?:0x[\da-fA-F]+|\d+)\b`],
      ["fn", String.raw`\.L\w+`],
    ],
    tree: [
      ["co", "--.*"],
      ["pp", String.raw`  \[[^\]]*\]$`],
      ["kw", String.raw`\b(?:${words(`stencil gmm kernel unit with helpers function sweep over events components
        interior let when for in if else elif while return of step and or not`)})\b`],
      ["ty", String.raw`\b(?:f32|f64|[iu](?:8|16|32|64)|bool)\b`],
      STRING,
      NUMBER,
      CALL,
    ],
  };
  const compiled = new Map(
    Object.entries(RULES).map(([language, rules]) => [
      language,
      [new RegExp(rules.map(([, pattern]) => `(${pattern})`).join("|"), "g"), rules.map(([name]) => name)],
    ]),
  );

  /** [class, text] pairs that add up to *line*. */
  function tokens(line, language) {
    const [pattern, names] = compiled.get(language) ?? compiled.get("tree");
    const found = [];
    let end = 0;
    for (const match of line.matchAll(pattern)) {
      if (!match[0]) continue;
      if (match.index > end) found.push(["", line.slice(end, match.index)]);
      found.push([names[match.findIndex((text, i) => i && text !== undefined) - 1], match[0]]);
      end = match.index + match[0].length;
    }
    if (end < line.length) found.push(["", line.slice(end)]);
    return found;
  }

  /** *line* as HTML, cut at *stretches* ([from, to, opening tag, closing tag], in order). */
  function html(line, language, stretches = []) {
    let out = "";
    let at = 0;
    const inside = stretches[Symbol.iterator]();
    let next = inside.next().value;
    const openAt = () => next && at === next[0] && (out += next[2]);
    openAt();
    for (const [name, text] of tokens(line, language)) {
      let rest = text;
      while (rest) {
        const border = !next ? Infinity : at < next[0] ? next[0] : next[1];
        const piece = rest.slice(0, border - at);
        out += name ? `<i class="${name}">${escapeHtml(piece)}</i>` : escapeHtml(piece);
        at += piece.length;
        rest = rest.slice(piece.length);
        if (next && at === next[1]) {
          out += next[3];
          next = inside.next().value;
        }
        openAt();
      }
    }
    return out;
  }

  return { tokens, html };
})();
