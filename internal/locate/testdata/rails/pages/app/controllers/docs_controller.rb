class DocsController < ActionController::Base
  def edit; end
  def show; end
end
