r"""Expressions over words: `王-男+女`, `(王+女王)/2 - 男`, `男:女=王:?`.

    expression = analogy | sum
    analogy    = side ":" side ("=" | "::") side ":" "?"
    side       = word | id | "(" sum ")"
    sum        = { sign } product { sign { sign } product }
    product    = { number ("*" | "/") } vector { "*" number | "/" number }
    vector     = word | id | "(" sum ")"
    sign       = "+" | "-"

A sign may also stand before any factor of a product (`2*-王`). `＋ － − ＊ × ／ （ ） ： ＝ ？ ”`
and the ideographic space U+3000 count as their ASCII forms; `ー` is a letter. White space is free.

A *word* is a run of characters without white space, operators, parentheses, `:`, `=`, quotes or
`\`; `\` takes any one character as it is, quotes take them all: `C\+\+`, `"C++"`. An *id* is `#`
and digits. A number is a coefficient only next to `*` or after `/`, or before `/` where another
word is there to be multiplied (`1/2*王`); anywhere else it is the token so spelled, so that
`1999-1998+2000` adds three tokens, `2*3` is twice the token 3 and `1/2` half the token 1.

`tokens` cuts the text, `grammar` has one function a rule, `forms` is what they build: it keeps the
form as written and is lowered to weighted terms on demand.
"""

from wordvec.expression.forms import Analogy, Expression, Operand, TokenId, WeightedTerm, Word
from wordvec.expression.grammar import parse

__all__ = ["Analogy", "Expression", "Operand", "TokenId", "WeightedTerm", "Word", "parse"]
