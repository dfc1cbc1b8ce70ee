package release

import "assay/artifact"

// Catalog is the document that names the products of a repository.
type Catalog struct {
	document
	Schema   string    `json:"schema"`
	Products []Product `json:"products"` // in the publisher's order, each name once
}

// Product is an entry of the catalog.
type Product struct {
	Name     string   `json:"product"`
	Summary  string   `json:"summary,omitempty"`
	Channels []string `json:"channels"` // at least one, each once
}

// DecodeCatalog reads a catalog of at most MaxCatalogBytes. Errors are
// *FieldError.
func DecodeCatalog(data []byte) (*Catalog, error) {
	var c Catalog
	doc, err := form{"catalog", MaxCatalogBytes}.decode(CatalogPath, data, &c)
	if err != nil {
		return nil, err
	}
	c.document = doc
	if p := first(c.check); p != nil {
		return nil, inDocument(CatalogPath, p)
	}
	return &c, nil
}

// check reports everything that the schema can't say.
func (c *Catalog) check(report reporter) {
	names := map[string]bool{}
	for i, product := range c.Products {
		if names[product.Name] {
			report(malformed(at("products", i, "product"), "each product once", quote(product.Name)+" again"))
		}
		names[product.Name] = true
		channels := map[string]bool{}
		for j, channel := range product.Channels {
			if channels[channel] {
				report(malformed(at("products", i, at("channels", j, "")), "each channel once", quote(channel)+" again"))
			}
			channels[channel] = true
		}
	}
}

// Lookup finds a product by its name.
func (c *Catalog) Lookup(product string) (Product, bool) {
	// A name that no catalog can hold is not searched for.
	if artifact.ValidProduct(product) != nil {
		return Product{}, false
	}
	for _, p := range c.Products {
		if p.Name == product {
			return p, true
		}
	}
	return Product{}, false
}
